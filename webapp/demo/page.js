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
