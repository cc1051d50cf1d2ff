# Set-up: fetches the project in Google Colab, whose own torch stays; elsewhere it only names the folders.
import subprocess
import sys
from pathlib import Path

if "google.colab" in sys.modules:
    checkout = Path("switcher-networks").resolve()  # below /content
    if not checkout.exists():
        subprocess.run(
            ["git", "clone", "--quiet", "--depth", "1", "https://github.com/OWNER/switcher-networks", str(checkout)],
            check=True,
        )
    subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "--editable", str(checkout)], check=True)
    sys.path.insert(0, str(checkout))

import snnlib

ROOT = Path(snnlib.__file__).parents[1]  # the checkout
