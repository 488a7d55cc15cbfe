// Looks again every two seconds while a file is read. Without scripts the page refreshes itself.
if (document.querySelector("[data-look-again]")) setTimeout(() => location.reload(), 2000);
