// Captions that would leave the text at the end of a line are moved to the left. Short ones always fit.
const fitCaptions = root => {
  const long = [...root.querySelectorAll(".head b")].filter(caption => caption.dataset.caption.length > 4);
  long.forEach(caption => { caption.style.left = ""; });
  const excess = long.map(caption =>
    caption.getBoundingClientRect().right - caption.closest(".text").getBoundingClientRect().right);
  long.forEach((caption, i) => { if (excess[i] > 0) caption.style.left = `${-excess[i]}px`; });
};
