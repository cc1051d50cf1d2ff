"""From records to what a page shows: tables, figures, verdicts, audit. The method needs none of it."""
