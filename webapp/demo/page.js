// Runs once per gr.HTML block of the demo. Clicks on [data-index] tell the server which one; [data-save] saves a shown picture.
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-index]");
  if (chosen) return trigger("choose", { index: Number(chosen.dataset.index) });
  const save = event.target.closest("[data-save]");
  if (save) savePicture(save.closest("figure").querySelector("img"), save.dataset.save);
});

function savePicture(image, name) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = name;
  link.click();
}

if (!window.isSecureContext) element.querySelectorAll("[data-insecure]").forEach((note) => (note.hidden = false));

// A screen reader hears the answer from a region that was there before it; what is inserted with its text is often skipped.
const live = document.getElementById("fer-live") ?? document.body.appendChild(document.createElement("div"));
live.id = "fer-live";
live.className = "fer-unseen";
live.setAttribute("role", "status");
new MutationObserver(announce).observe(element, { childList: true, subtree: true, attributes: true });
announce();

function announce() {
  const told = element.querySelector("[data-announce]")?.dataset.announce;
  if (told && told !== live.textContent) live.textContent = told;
}
