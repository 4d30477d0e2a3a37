"use strict";
// The page is complete without this. It adds a slider along the path, tables that sort,
// and a search; texts come from the page itself and from the data beside it, and are
// only ever set as text. Formats: penglm/report/digits.py.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = id => document.getElementById(id);
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const NONE = "\u2013";

  function unpack(letters, place, digits, width, top) {
    let code = 0;
    for (const letter of letters.slice(place * width, (place + 1) * width))
      code = code * 64 + LETTERS.indexOf(letter);
    if (!code) return 0;
    const least = 10 ** (digits - 1), span = 9 * least;
    const rest = Math.floor((code - 1) / span), mantissa = least + (code - 1) % span;
    const exponent = top - (rest >> 1) - digits + 1;
    return Number(`${rest % 2 ? "-" : ""}${mantissa}e${exponent}`);
  }

  function shown(value, n) {
    if (value === 0) return "0";
    if (!isFinite(value)) return value > 0 ? "\u221e" : "-\u221e";
    const [mantissa, tail] = value.toExponential(n - 1).split("e");
    const exponent = Number(tail);
    if (exponent >= -4 && exponent < n) return value.toFixed(n - 1 - exponent);
    return `${mantissa}e${exponent > 0 ? "+" : ""}${exponent}`;
  }

  // The last entry of a run-length list, [start, value, start, value...], before a place.
  function held(runs, k) {
    let value = -1;
    for (let i = 0; i < runs.length && runs[i] <= k; i += 2) value = runs[i + 1];
    return value;
  }

  function coefficient(j, k) {
    const [start, top, letters] = data.coef[j];
    return k < start ? 0 : unpack(letters, k - start, 5, 4, top);
  }

  const cells = {
    coef: (j, k) => shown(coefficient(j, k), 5),
    sd: (j, k) => j ? shown(coefficient(j, k) * data.sd[j - 1], 4) : NONE,
    signal: (j, k) => {
      const packed = j ? data.signal[j - 1] : null;
      return packed ? shown(unpack(packed[1], k, 4, 3, packed[0]), 4) : NONE;
    },
    threshold: (j, k) => j && data.unit[j - 1] > 0
      ? shown(data.unit[j - 1] * (data.alphas[k] ?? Infinity), 4) : NONE,
    why: (j, k) => data.words[held(data.why[j], k)],
    rival: (j, k) => {
      const who = j ? held(data.rival[j - 1][0], k) : -1;
      if (who < 0) return NONE;
      const [, start, top, letters] = data.rival[j - 1];
      const claim = unpack(letters, k - start, 4, 3, top);
      return `${data.variables[who]} (${shown(claim, 4)})`;
    },
  };

  // Tables that sort by the text of a column: numbers by value, what has none last.
  const number = text => text.trim() === "" || text === NONE ? NaN
    : Number(text.replace("\u221e", "Infinity"));
  function sort(table, place, heading) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0], numeric = heading.classList.contains("n");
    const rows = [...body.rows].map((row, k) => {
      const text = row.cells[place].textContent;
      return { row, k, key: numeric ? number(text) : text };
    });
    const last = key => numeric ? isNaN(key) : key === NONE;
    rows.sort((a, b) => {
      if (last(a.key) || last(b.key)) return last(a.key) - last(b.key) || a.k - b.k;
      const order = numeric ? a.key - b.key
        : a.key.localeCompare(b.key, undefined, { numeric: true });
      return (down ? -order : order) || a.k - b.k;
    });
    body.append(...rows.map(each => each.row));
  }
  for (const table of document.querySelectorAll("table.sorts"))
    [...table.tHead.rows[0].cells].forEach((heading, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, place, heading));
    });

  const table = at("coefficients");
  const rows = [...table.tBodies[0].rows];
  const kinds = [...table.tHead.rows[0].cells].map(heading => heading.dataset.kind);

  // Search by name, and those in the model alone.
  const search = at("search"), only = at("only");
  function sift() {
    const wanted = search.value.toLowerCase();
    let n = 0;
    rows.forEach(row => {
      const called = row.cells[0].textContent.toLowerCase();
      row.hidden = !called.includes(wanted)
        || (only.checked && row.classList.contains("out"));
      n += !row.hidden;
    });
    at("found").textContent = `${n} of ${rows.length} rows`;
  }
  if (search) {
    at("tools").hidden = false;
    search.addEventListener("input", sift);
    only.addEventListener("change", sift);
    sift();
  }

  const slider = at("slider");
  if (!slider) return;
  const path = at("path"), points = [...path.tBodies[0].rows];
  const headings = [...path.tHead.rows[0].cells].map(heading => heading.textContent);
  const readout = at("readout"), back = at("back");
  const values = headings.map(heading => {
    const part = document.createElement("span"), value = document.createElement("b");
    part.append(`${heading} `, value);
    readout.append(part);
    return value;
  });

  function show(k) {
    points.forEach((row, i) => {
      row.classList.toggle("here", i === k);
      if (i === k) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
    const said = [...points[k].cells].map(cell => cell.textContent);
    values.forEach((value, i) => { value.textContent = said[i]; });
    slider.setAttribute("aria-valuetext", `${headings[0]} ${said[0]}, ${headings[1]} ${said[1]}`);
    back.disabled = k === data.chosen;
    rows.forEach((row, j) => {
      kinds.forEach((kind, place) => {
        if (cells[kind]) row.cells[place].textContent = cells[kind](j + data.first, k);
      });
      row.classList.toggle("out", coefficient(j + data.first, k) === 0);
    });
    for (const line of document.querySelectorAll(".cursor")) {
      const x = data.x[k];
      line.setAttribute("visibility", x === null ? "hidden" : "visible");
      if (x !== null) { line.setAttribute("x1", x); line.setAttribute("x2", x); }
    }
    at("at-strength").textContent = `alpha ${said[0]}`;
    sift();
  }
  slider.addEventListener("input", () => show(slider.valueAsNumber));
  back.addEventListener("click", () => { slider.value = data.chosen; show(data.chosen); slider.focus(); });
  slider.value = data.chosen;
  at("strength").hidden = false;
  show(data.chosen);

  // A click in a picture along the path goes to the strength there.
  for (const picture of document.querySelectorAll(".along svg"))
    picture.addEventListener("click", event => {
      const box = picture.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * picture.viewBox.baseVal.width;
      let nearest = -1;
      data.x.forEach((place, k) => {
        if (place !== null && (nearest < 0 || Math.abs(place - x) < Math.abs(data.x[nearest] - x)))
          nearest = k;
      });
      if (nearest >= 0) { slider.value = nearest; show(nearest); }
    });
})();
