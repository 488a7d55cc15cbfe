// Shows what the rulebook would say while the application is written. The button does the same without scripts.
const form = document.querySelector("form[data-preview]");
const into = form?.querySelector("[data-preview-into]");
let waiting;
let asked = 0;

async function look() {
  const mine = ++asked;
  const response = await fetch(form.dataset.preview, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
    headers: { Accept: "text/html" },
  });
  // A later change has asked again: its answer counts.
  if (mine !== asked || !response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  into.replaceChildren(...page.body.childNodes);
}

if (form && into) {
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => look().catch(() => {}), 350);
  });
}
