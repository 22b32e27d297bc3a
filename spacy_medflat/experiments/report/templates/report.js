const boxes = [...document.querySelectorAll(".filters input")];
const cases = [...document.querySelectorAll(".case")].map(element => {
  const errors = JSON.parse(element.dataset.errors).map(([number, label, kind]) => ({
    label, kind, pieces: element.querySelectorAll(`[data-mark="${number}"]`),
  }));
  return { element, errors };
});
const show = () => {
  const chosen = name => new Set(boxes.filter(box => box.name === name && box.checked).map(box => box.value));
  const labels = chosen("label"), kinds = chosen("kind");
  let texts = 0, count = 0;
  for (const { element, errors } of cases) {
    let own = 0;
    for (const { label, kind, pieces } of errors) {
      const on = labels.has(label) && kinds.has(kind);
      own += on;
      pieces.forEach(piece => piece.classList.toggle("wrong", on));
    }
    element.hidden = !own;
    count += own;
    texts += own > 0;
  }
  const told = document.querySelector(".filters output");
  if (told) told.textContent = `${count} of ${cases.reduce((sum, c) => sum + c.errors.length, 0)} errors in ${texts} texts`;
};
const update = () => { show(); fitCaptions(document); };
boxes.forEach(box => box.addEventListener("change", update));
document.querySelectorAll("button[data-boxes]").forEach(button => button.addEventListener("click", () => {
  const own = boxes.filter(box => box.name === button.dataset.boxes);
  const on = !own.every(box => box.checked);
  own.forEach(box => { box.checked = on; });
  update();
}));
update();
addEventListener("resize", () => fitCaptions(document));
