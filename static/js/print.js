/* A button that prints, on pages that load nothing else. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
