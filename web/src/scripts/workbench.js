// Ctrl + Enter runs the query; table and column names become buttons that insert themselves.
const form = document.querySelector("form[data-bench]");
const sql = form?.querySelector("textarea[name=sql]");

function insert(text) {
  const space = sql.selectionStart > 0 && !/\s|\.|\(/.test(sql.value[sql.selectionStart - 1]) ? " " : "";
  sql.setRangeText(space + text, sql.selectionStart, sql.selectionEnd, "end");
  sql.focus();
}

if (form && sql) {
  sql.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.querySelector("button[value=run]").click();
    }
  });
  for (const code of document.querySelectorAll("code[data-insert]")) {
    // A button inside a summary would be an interactive element in another: names of tables stay text.
    if (code.closest("summary")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "insert";
    code.replaceWith(button);
    button.append(code);
    button.addEventListener("click", () => insert(code.dataset.insert));
  }
  document.getElementById("answer")?.focus();
}
