/* Long lists with search: a combobox (ARIA 1.2, list autocomplete) over a select[data-search], which stays the control
   that is posted and is what there is without scripts. Text of a choice, or the initials of its pinyin. */
(function () {
  "use strict";
  const node = document.getElementById("choice-search");
  const form = document.querySelector("[data-card-form]");
  if (!node || !form) return;
  const texts = JSON.parse(node.textContent);
  let serial = 0;

  const plain = (text) => text.normalize("NFKC").trim().toLowerCase();
  const initials = (option) => texts.initials[option.value] || texts.initials[option.textContent.trim()] || "";

  function matches(select, text) {
    const wanted = plain(text);
    const options = [...select.options].filter((option) => option.value);
    if (!wanted) return options;
    const rank = (option) => {
      const label = plain(option.textContent), letters = initials(option);
      if (label.startsWith(wanted) || label === wanted) return 0;
      if (letters.startsWith(wanted)) return 1;
      return label.includes(wanted) || letters.includes(wanted) ? 2 : 9;
    };
    return options.map((option) => [rank(option), option]).filter(([rank]) => rank < 9).sort((one, other) => one[0] - other[0]).map(([, option]) => option);
  }

  function dress(select) {
    if (select.dataset.dressed || select.id.includes("__prefix__")) return;
    select.dataset.dressed = "yes";
    serial += 1;
    const box = document.createElement("div");
    box.className = "choice-search";
    const input = document.createElement("input");
    const list = document.createElement("ul");
    Object.assign(input, { type: "text", className: "form-select", autocomplete: "off", spellcheck: false, id: `choice-${serial}` });
    Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `choices-${serial}` }).forEach(([name, value]) => input.setAttribute(name, value));
    ["aria-describedby", "aria-invalid"].forEach((name) => { const value = select.getAttribute(name); if (value) input.setAttribute(name, value); });
    if (select.classList.contains("is-invalid")) input.classList.add("is-invalid");
    Object.assign(list, { id: `choices-${serial}`, className: "choice-list", hidden: true });
    list.setAttribute("role", "listbox");
    const label = form.querySelector(`label[for="${CSS.escape(select.id)}"]`) || select.closest(".field").querySelector("label");
    if (label) { label.htmlFor = input.id; list.setAttribute("aria-label", label.firstChild.textContent.trim()); }
    select.before(box);
    box.append(input, list, select);
    select.classList.add("choice-kept");
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    let at = -1, shown = [];

    const chosen = () => (select.value ? select.selectedOptions[0].textContent.trim() : "");
    function sync() { input.value = chosen(); input.placeholder = select.options[0].textContent; }
    function close() { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); at = -1; }
    function mark(next) {
      if (!shown.length) return;
      at = (next + shown.length) % shown.length;
      [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === at)));
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
    function open(text) {
      shown = matches(select, text);
      list.replaceChildren(...(shown.length ? shown.map((option, index) => {
        const line = document.createElement("li");
        line.id = `${list.id}-${index}`;
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", "false");
        line.textContent = option.textContent;
        return line;
      }) : [Object.assign(document.createElement("li"), { className: "choice-none", textContent: texts.none })]));
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      if (list.getBoundingClientRect().bottom > window.innerHeight - 150) box.scrollIntoView({ block: "start" });
      at = -1;
      if (text && shown.length) mark(0);
      else if (select.value) mark(Math.max(0, shown.findIndex((option) => option.selected)));
    }
    function take(option) {
      const value = option ? option.value : "";
      const changes = select.value !== value;
      select.value = value;
      sync();
      close();
      if (changes) { select.dispatchEvent(new Event("input", { bubbles: true })); select.dispatchEvent(new Event("change", { bubbles: true })); }
    }
    /* what was typed and not taken: the choice it names, the one choice it leaves, or the choice as it was */
    function settle() {
      const text = input.value;
      if (plain(text) === plain(chosen())) { sync(); close(); return; }
      const found = matches(select, text);
      if (!plain(text)) take(null);
      else if (found.length === 1 || (found.length && plain(found[0].textContent) === plain(text))) take(found[0]);
      else { sync(); close(); }
    }

    input.addEventListener("input", (event) => { event.stopPropagation(); open(input.value); });
    input.addEventListener("change", (event) => event.stopPropagation());
    input.addEventListener("click", () => { if (list.hidden) { input.select(); open(""); } });
    input.addEventListener("blur", settle);
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || event.altKey) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) open(""); else mark(event.key === "ArrowDown" ? at + 1 : at - 1);
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (!list.hidden && shown[at]) take(shown[at]); else if (list.hidden) open("");
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        sync();
        close();
      }
    });
    list.addEventListener("pointerdown", (event) => event.preventDefault()); /* the input keeps the focus */
    list.addEventListener("click", (event) => { const line = event.target.closest("[role=option]"); if (line) take(shown[[...list.children].indexOf(line)]); });
    select.addEventListener("change", sync);
    select.addEventListener("focus", () => input.focus());
    form.addEventListener("card:filled", sync);
    sync();
  }

  const dressAll = (within) => within.querySelectorAll("select[data-search]").forEach(dress);
  dressAll(form);
  form.addEventListener("card:row", (event) => dressAll(event.detail));
})();
