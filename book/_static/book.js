// A table, a figure, a listing or an equation that is wider than its place says so, and can be reached and scrolled with
// the keyboard. A wide picture keeps a size at which its words are legible.
(() => {
  const BOXES =
    ".cell_output, .cell_output .output, .pst-scrollable-table-container, .bd-article figure.captioned > div, " +
    ".cell_output .highlight pre, .bd-article div.math > mjx-container";
  const mark = (box) => {
    const shows = box.matches("pre, mjx-container") || box.querySelector("table, img") !== null;
    const wide = shows && box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle("scrolls", wide);
    if (wide) box.tabIndex = 0;
  };
  const markAll = () => {
    document.querySelectorAll(".cell_output img").forEach((img) => img.classList.toggle("large", img.naturalWidth > 700));
    document.querySelectorAll(BOXES).forEach(mark);
  };
  window.addEventListener("load", () => {
    markAll();
    window.MathJax?.startup?.promise?.then(markAll);
  });
  window.addEventListener("resize", markAll);
})();
