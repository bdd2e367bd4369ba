/* Needs in the form of a card: what a need is about without how pressing it is gets a note at once. */
(function () {
  "use strict";
  const card = window.changde && window.changde.cardForm;
  if (!card) return;

  card.form.addEventListener("card:refresh", () => {
    card.form.querySelectorAll(".need-line").forEach((line) => {
      const open = Boolean(line.querySelector("input").value.trim()) && !line.querySelector("select").value;
      let note = line.querySelector("[data-note]");
      if (note && !open) note.remove();
      if (note || !open) return;
      note = document.createElement("div");
      note.className = "field-note";
      note.dataset.note = "need-urgency";
      note.setAttribute("role", "status");
      note.textContent = card.texts.needUrgency;
      line.append(note);
    });
  });
  card.refresh();
})();
