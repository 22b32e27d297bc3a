document.querySelectorAll(".medflat:not([data-ready])").forEach(root => {
  root.dataset.ready = "1";
  const rows = [...root.querySelectorAll("tbody tr")];
  const keys = [...root.querySelectorAll(".key input")];
  const score = root.querySelector("input[type=range]");
  const pieces = new Map();
  root.querySelectorAll("[data-mark]").forEach(piece => {
    if (!pieces.has(piece.dataset.mark)) pieces.set(piece.dataset.mark, []);
    pieces.get(piece.dataset.mark).push(piece);
  });
  const cells = row => [...row.cells].map(cell => cell.textContent);
  const show = () => {
    const chosen = new Set(keys.filter(key => key.checked).map(key => key.value));
    const least = score ? Number(score.value) : 0;
    let count = 0;
    for (const row of rows) {
      const [, , , label, value] = cells(row);
      const on = chosen.has(label) && (value === "" || Number(value) >= least);
      row.hidden = !on;
      count += on;
      for (const piece of pieces.get(row.dataset.row) || []) piece.classList.toggle("off", !on);
    }
    if (score) root.querySelector("output").textContent = least.toFixed(2);
    root.querySelectorAll(".count").forEach(place => { place.textContent = count.toLocaleString("en"); });
  };
  keys.forEach(key => key.addEventListener("change", show));
  if (score) score.addEventListener("input", show);
  root.querySelectorAll("button[data-keys]").forEach(button => button.addEventListener("click", () => {
    keys.forEach(key => { key.checked = button.dataset.keys === "all"; });
    show();
  }));
  root.querySelectorAll("button[data-export]").forEach(button => button.addEventListener("click", () => {
    const separator = button.dataset.export === "tsv" ? "\t" : ",";
    const quoted = value => /["\t,\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    const lines = [cells(root.querySelector("thead tr")), ...rows.filter(row => !row.hidden).map(cells)];
    const content = lines.map(line => line.map(quoted).join(separator) + "\r\n").join("");
    const link = document.createElement("a");
    // Excel reads a file as UTF-8 if it begins with a byte order mark.
    link.href = URL.createObjectURL(new Blob(["\ufeff", content], { type: "text/plain;charset=utf-8" }));
    link.download = `entities.${button.dataset.export}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }));
  root.querySelector("tbody")?.addEventListener("click", event => {
    const found = pieces.get(event.target.closest("tr").dataset.row) || [];
    if (!found.length) return;
    found[0].scrollIntoView({ block: "center" });
    found.forEach(piece => piece.classList.add("found"));
    setTimeout(() => found.forEach(piece => piece.classList.remove("found")), 2500);
  });
  // Where there is no pointer that hovers, a tap tells about an entity and those around it.
  const about = root.querySelector(".about");
  root.addEventListener("click", event => {
    const told = [];
    for (let one = event.target.closest(".entity"); one; one = one.parentElement.closest(".entity")) {
      if (!one.classList.contains("off")) told.push(one.title);
    }
    about.textContent = told.join(" ⊂ ");
    about.hidden = !told.length;
  });
  show();
  fitCaptions(root);
  addEventListener("resize", () => fitCaptions(root));
});
