// A table, a figure or a listing that is wider than its place says so, and can be reached and scrolled with the keyboard.
(() => {
  const BOXES = ".cell_output, .cell_output .output, .pst-scrollable-table-container, .bd-article figure.captioned > div";
  const mark = (box) => {
    const wide = box.querySelector("table, img") !== null && box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle("scrolls", wide);
    if (wide) box.tabIndex = 0;
  };
  const markAll = () => document.querySelectorAll(BOXES).forEach(mark);
  window.addEventListener("load", markAll);
  window.addEventListener("resize", markAll);
})();
