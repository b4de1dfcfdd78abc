"use strict";
(() => {
  const PAGED = 100, FILTERED = 20;

  const make = (tag, attributes = {}, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };

  /* Numbers before words, NaN and nothing last whichever way; rows that are equal stay in their order. */
  const words = new Intl.Collator(undefined, { numeric: true });
  const compare = (first, second, way) => {
    const [a, b] = [first, second].map(Number);
    const [noA, noB] = [first === null || Number.isNaN(a), second === null || Number.isNaN(b)];
    if (noA || noB) return noA - noB;
    return way * (a < b ? -1 : a > b ? 1 : 0);
  };

  const enhance = (table) => {
    const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
    if (rows.length < 2) return;
    const texts = rows.map((row) => row.textContent.toLowerCase());
    let order = rows.map((_, index) => index), start = 0, wanted = "";
    let status = null, back = null, on = null;

    const show = () => {
      const fitting = wanted ? order.filter((index) => texts[index].includes(wanted)) : order;
      const paged = rows.length > PAGED;
      start = Math.min(start, Math.max(0, Math.floor((fitting.length - 1) / PAGED) * PAGED));
      const stop = paged ? Math.min(start + PAGED, fitting.length) : fitting.length;
      const seen = new Set(fitting.slice(paged ? start : 0, stop));
      body.append(...order.map((index) => rows[index]));
      rows.forEach((row, index) => { row.hidden = !seen.has(index); });
      if (!status) return;
      const all = rows.length.toLocaleString("en"), count = fitting.length.toLocaleString("en");
      const of = wanted ? `${count} that match, of ${all}` : all;
      const range = seen.size ? `${(paged ? start : 0) + 1}–${stop}` : "none";
      status.textContent = paged || wanted ? `Rows ${range} of ${of}` : `${all} rows`;
      if (back) [back.disabled, on.disabled] = [start === 0, stop >= fitting.length];
    };

    heads.forEach((head, column) => {
      const button = make("button", { type: "button", title: "Sort by this column" });
      if (head.textContent.length <= 24) button.classList.add("short");
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      const numeric = head.classList.contains("n");
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const after = { none: "ascending", ascending: "descending", descending: "none" }[before];
        heads.forEach((other) => other.setAttribute("aria-sort", other === head ? after : "none"));
        order = rows.map((_, index) => index);
        if (after !== "none") {
          const way = after === "ascending" ? 1 : -1;
          const keys = rows.map((row) => {
            const cell = row.cells[column];
            return numeric ? cell.getAttribute("data-v") : cell.textContent;
          });
          order.sort((a, b) => (numeric ? compare(keys[a], keys[b], way) : way * words.compare(keys[a], keys[b])));
        }
        start = 0;
        show();
      });
    });

    if (rows.length > FILTERED) {
      const controls = make("div", { class: "controls" });
      const label = make("label", {}, "Filter");
      const input = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
      label.append(input);
      status = make("p", { role: "status" });
      controls.append(label);
      if (rows.length > PAGED) {
        back = make("button", { type: "button" }, "Previous");
        on = make("button", { type: "button" }, "Next");
        back.addEventListener("click", () => { start -= PAGED; show(); });
        on.addEventListener("click", () => { start += PAGED; show(); });
        controls.append(back, on);
      }
      controls.append(status);
      input.addEventListener("input", () => { wanted = input.value.toLowerCase().trim(); start = 0; show(); });
      table.closest(".scroll").before(controls);
    }
    show();
  };

  const copyable = (command) => {
    /* Lines end between words, not behind the hyphens of options. */
    const words = command.textContent.split(" ").flatMap((word) => [" ", make("span", { class: "word" }, word)]);
    command.replaceChildren(...words.slice(1));
    const button = make("button", { type: "button", class: "copy", "aria-label": "Copy the command" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(command);
        button.textContent = "Selected";
      }
    });
    command.after(button);
  };

  /* Pictures that answer to the mouse take the place of still ones, which stay for print and for readers of screens. */
  const whole = (part) => {
    if (Array.isArray(part)) return part.map(whole);
    if (part === null || typeof part !== "object") return part;
    if (part.fields && part.rows) {
      return { values: part.rows.map((row) => Object.fromEntries(part.fields.map((name, place) => [name, row[place]]))) };
    }
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, whole(value)]));
  };

  const theme = () => {
    const page = getComputedStyle(document.body);
    const [ink, faint, edge] = ["--ink", "--faint", "--edge"].map((name) => page.getPropertyValue(name).trim());
    const small = { labelFontSize: 12, titleFontSize: 12, labelColor: ink, titleColor: ink, titleFontWeight: 400 };
    return {
      background: "transparent", font: page.fontFamily, view: { stroke: null }, text: { color: ink },
      axis: { ...small, gridColor: edge, domainColor: faint, tickColor: faint }, legend: small,
    };
  };

  const livened = (data) => {
    const panel = data.closest(".panel"), still = panel.querySelector(".still"), box = make("div", { "aria-hidden": "true" });
    const part = whole(JSON.parse(data.textContent));
    const height = still.firstElementChild.viewBox.baseVal.height;
    let view = null, width = 0;
    box.className = "live";
    const draw = async () => {
      width = panel.clientWidth;
      const spec = { ...part, width, height, autosize: { type: "fit", contains: "padding" }, config: theme() };
      const options = {
        actions: false, ast: true, defaultStyle: false, mode: "vega-lite", renderer: "svg",
        tooltip: { disableDefaultStyle: true },
      };
      if (view) view.finalize();
      try {
        view = await window.vegaEmbed(box, spec, options);
        still.classList.add("unseen");
      } catch (error) {
        box.remove();
        still.classList.remove("unseen");
      }
    };
    panel.append(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const fit = () => { if (Math.abs(panel.clientWidth - width) > 1) draw(); };
    new ResizeObserver(() => requestAnimationFrame(fit)).observe(panel);
  };

  document.querySelectorAll("table").forEach(enhance);
  document.querySelectorAll(".command").forEach(copyable);
  if (window.vegaEmbed) document.querySelectorAll("script.drawing").forEach(livened);
})();
