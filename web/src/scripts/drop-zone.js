// A file may be dropped on the form. Without this module the file field does the same.
const form = document.querySelector("[data-drop]");
const zone = form?.querySelector("[data-drop-zone]");
const input = form?.querySelector("input[type=file]");

if (zone && input) {
  zone.querySelector("[data-drop-words]").hidden = false;
  const stop = (event) => {
    event.preventDefault();
    zone.classList.toggle("drop--over", event.type === "dragover");
  };
  for (const name of ["dragover", "dragleave"]) zone.addEventListener(name, stop);
  zone.addEventListener("drop", (event) => {
    stop(event);
    if (event.dataTransfer?.files.length) input.files = event.dataTransfer.files;
  });
}
