// Sets the chosen theme before the first paint; the choice is made in the console's top bar.
(function () {
  try {
    var theme = localStorage.getItem("fogward.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (_) { /* storage refused: the system's theme it is */ }
})();
