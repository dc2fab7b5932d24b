// Runs once per gr.HTML block of the demo. Clicks on [data-index] tell the server which one; [data-save] saves a shown picture.
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-index]");
  if (chosen) return choose(Number(chosen.dataset.index));
  const save = event.target.closest("[data-save]");
  if (save) savePicture(save.dataset.picture ?? save.closest("figure").querySelector("img").src, save.dataset.save);
});

// An event that had to wait comes with the data of the one before it, so what was clicked last is noted here as well.
function choose(index) {
  window.ferChosen ??= {};
  window.ferChosen[element.closest("#examples") ? "example" : "face"] = index;
  trigger("choose", { index });
}

async function savePicture(address, name) {
  const image = new Image();
  image.src = address;
  await image.decode();
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

// Every announcement has a number: the same words are heard again where they come again, and once where a block is drawn twice.
function announce() {
  window.ferHeard ??= new Set();
  for (const { dataset } of element.querySelectorAll("[data-announce]")) {
    if (window.ferHeard.has(dataset.turn)) continue;
    window.ferHeard.add(dataset.turn);
    say(dataset.announce);
  }
}

// Blocks that change together are heard together; the region is emptied first, or words that stay would not be news.
function say(words) {
  window.ferWords ??= [];
  if (window.ferWords.push(words) > 1) return;
  live.textContent = "";
  setTimeout(() => (live.textContent = window.ferWords.splice(0).join(" ")), 100);
}
