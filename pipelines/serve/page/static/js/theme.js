// Before anything is drawn: the theme and the palette that this browser keeps, or that the URL asks for.
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search);
  for (const name of ["theme", "palette"]) {
    let value = asked.get(name);
    try {
      value ??= localStorage.getItem(`liq-${name}`);
    } catch {
      // storage is switched off: the browser's own theme
    }
    if (["light", "dark", "blind"].includes(value)) root.dataset[name] = value;
  }
})();
