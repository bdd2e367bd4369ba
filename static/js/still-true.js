/* A new year's sheet filled with last year's facts: every group asks whether they are still true. Changing a fact answers
   for its group; one button answers for a whole section. What is not answered stays unknown (forms/registry.py). */
(function () {
  "use strict";
  const card = window.changde && window.changde.cardForm;
  if (!card || !card.form.querySelector("[data-still]")) return;

  const open = (within) => {
    const names = new Map();
    within.querySelectorAll("[data-still]").forEach((control) => names.set(control.name, [...(names.get(control.name) || []), control]));
    return [...names.values()].filter((controls) => !controls.some((control) => control.checked));
  };
  const choose = (controls, wanted) => { controls.find((control) => control.value === wanted).checked = true; };

  card.form.querySelectorAll("[data-section]").forEach((section) => {
    if (!section.querySelector("[data-still]")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-secondary btn-sm still-all";
    button.textContent = card.texts.allSame;
    button.addEventListener("click", () => { open(section).forEach((controls) => choose(controls, "same")); card.changed(); });
    section.querySelector("h2").insertAdjacentElement("afterend", button);
    card.form.addEventListener("card:refresh", () => { button.disabled = !open(section).length; });
  });

  const answered = (event) => {
    const group = event.target.closest(".field-group");
    if (!group || event.target.matches("[data-still]") || !event.target.dataset.attribute) return;
    open(group).forEach((controls) => choose(controls, "changed"));
  };
  card.form.addEventListener("input", answered, true);
  card.form.addEventListener("change", answered, true);
  card.refresh();
})();
