/* Evidence photos: scaled in the browser, sent one after the other, each with its state; what did not arrive can be sent
   again, and is the same photo to the server (its key). Without this script the form sends one photo as it is. */
(function () {
  "use strict";
  const form = document.querySelector("[data-evidence]");
  if (!form || !window.createImageBitmap) return;
  const texts = JSON.parse(document.querySelector(form.dataset.texts).textContent);
  const LONGEST = 1600;
  const queue = form.querySelector("[data-evidence-queue]");
  const list = document.querySelector("[data-evidence-list]");
  const kind = form.elements.kind;
  const camera = form.elements.photo;
  const album = camera.cloneNode();
  const login = document.body.dataset.login;
  const waiting = [];
  let busy = false;

  /* --- the form becomes two buttons ------------------------------------------------------------------------- */
  album.removeAttribute("capture");
  album.removeAttribute("id");
  album.multiple = true;
  camera.required = album.required = false;
  camera.hidden = album.hidden = true;
  form.append(album);
  form.querySelector("[data-evidence-plain] label").hidden = true;
  form.querySelector("[data-evidence-submit]").hidden = true;
  form.querySelector("[data-evidence-buttons]").hidden = false;
  form.querySelector("[data-evidence-camera]").addEventListener("click", () => choose(camera));
  form.querySelector("[data-evidence-album]").addEventListener("click", () => choose(album));
  [camera, album].forEach((input) => input.addEventListener("change", () => {
    [...input.files].forEach(take);
    input.value = "";
  }));
  form.addEventListener("submit", (event) => event.preventDefault());

  function choose(input) {
    if (kind.reportValidity()) input.click();
  }

  /* --- one photo ------------------------------------------------------------------------------------------------ */
  function key() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));  // a page without TLS has no randomUUID
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  function take(file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.className = "strong";
    name.textContent = kind.selectedOptions[0].textContent;
    const state = document.createElement("span");
    const again = document.createElement("button");
    again.type = "button";
    again.className = "btn btn-sm btn-secondary";
    again.textContent = texts.again;
    again.hidden = true;
    row.append(name, state, again);
    queue.append(row);
    const job = { file, row, state, again, key: key(), kind: kind.value, caption: form.elements.caption.value };
    again.addEventListener("click", () => enqueue(job));
    form.elements.caption.value = "";
    enqueue(job);
  }

  function enqueue(job) {
    say(job, "waiting");
    unsent.delete(job);
    job.again.hidden = true;
    waiting.push(job);
    next();
  }

  function say(job, state, words) {
    job.row.dataset.state = state;
    job.state.textContent = words || texts[state];
  }

  async function next() {
    if (busy || !waiting.length) return;
    busy = true;
    const job = waiting.shift();
    try {
      if (!job.blob) {
        say(job, "scaling");
        job.blob = await scaled(job.file);
      }
      await send(job);
    } finally {
      busy = false;
      next();
    }
  }

  /* What the browser cannot read goes as it is; the server says what is wrong with it. */
  async function scaled(file) {
    try {
      const picture = await createImageBitmap(file);
      const share = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * share));
      canvas.height = Math.max(1, Math.round(picture.height * share));
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.88));
      return blob || file;
    } catch {
      return file;
    }
  }

  function send(job) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("year", form.elements.year.value);
    body.append("kind", job.kind);
    body.append("caption", job.caption);
    body.append("client_key", job.key);
    body.append("taken", String(job.file.lastModified || ""));
    body.append("photo", job.blob, "photo.jpg");
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("HX-Request", "true");
      request.timeout = 120000;
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) say(job, "sending", texts.sending.replace("%(share)s", `${Math.round(100 * event.loaded / event.total)} %`));
      });
      request.addEventListener("load", () => { answered(job, request); done(); });
      ["error", "timeout", "abort"].forEach((name) => request.addEventListener(name, () => { lost(job, texts.unsent); done(); }));
      say(job, "sending", texts.sending.replace("%(share)s", "0 %"));
      request.send(body);
    });
  }

  function answered(job, request) {
    if (login && new URL(request.responseURL).pathname === login) { lost(job, texts.login); return; }
    if (request.status === 422) {
      const holder = document.createElement("div");
      holder.innerHTML = request.responseText;
      say(job, "refused", holder.textContent.trim());
      return;
    }
    if (request.status !== 200) { lost(job, texts.failed); return; }
    say(job, "received");
    form.querySelectorAll("[data-evidence-room]").forEach((room) => { room.hidden = true; });  // counted before this photo
    if (list) {
      const holder = document.createElement("ul");
      holder.innerHTML = request.responseText;
      list.append(...holder.children);
      document.querySelectorAll("[data-evidence-none]").forEach((none) => { none.hidden = true; });
    }
    job.file = job.blob = null;
  }

  function lost(job, words) {
    say(job, "unsent", words);
    job.again.hidden = false;
    unsent.add(job);
  }

  /* --- weak signal: what was not sent goes when the net is back; leaving the page asks first ---------------------- */
  const unsent = new Set();
  window.addEventListener("online", () => {
    [...unsent].forEach(enqueue);
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...queue.children].some((row) => ["waiting", "scaling", "sending", "unsent"].includes(row.dataset.state))) event.preventDefault();
  });
})();
