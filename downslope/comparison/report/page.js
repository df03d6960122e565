"use strict";
// Everything here is a convenience: without this script the page shows the same words, tables and pictures.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, options = {}, ...children) => {
    const element = Object.assign(document.createElement(name), options);
    element.append(...children);
    return element;
  };
  const numbers = JSON.parse(document.getElementById("numbers").textContent);

  // What hovers: the words of a mark, and everything that belongs to the same contender.
  const tip = make("div", { id: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true"); // the same words stand in the tables
  document.body.append(tip);
  for (const mark of all(".mark")) {
    const title = mark.querySelector(":scope > title");
    if (title) { mark.dataset.tip = title.textContent; title.remove(); }
  }
  const light = (contender) => {
    document.body.classList.toggle("lit", contender !== undefined);
    for (const element of all("[data-c]")) element.classList.toggle("on", element.dataset.c === contender);
  };
  document.addEventListener("pointerover", (event) => {
    const near = event.target.closest("[data-tip]");
    const tied = event.target.closest("[data-c]");
    light(tied ? tied.dataset.c : undefined);
    tip.hidden = !near;
    if (near) tip.textContent = near.dataset.tip;
  });
  document.addEventListener("pointermove", (event) => {
    if (tip.hidden) return;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(6, Math.min(event.clientX + 14, innerWidth - box.width - 6))}px`;
    tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18}px`;
  });
  document.addEventListener("pointerleave", () => { tip.hidden = true; light(undefined); });

  // Files made from the page itself.
  const save = (name, type, text) => {
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const csvCell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value !== "string") return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value; // a spreadsheet would run it as a formula
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const csv = (columns, rows) => [columns, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
  const button = (text, label, action) => {
    const made = make("button", { type: "button", textContent: text, onclick: action });
    made.setAttribute("aria-label", label);
    return made;
  };
  const standalone = (picture) => {
    const copy = picture.cloneNode(true);
    const style = getComputedStyle(document.documentElement);
    const text = new XMLSerializer().serializeToString(copy);
    return text.replace(/var\((--[\w-]+),#[0-9a-f]{6}\)/g, (_, name) => style.getPropertyValue(name).trim());
  };
  for (const figure of all("figure")) {
    const data = numbers[figure.id];
    const title = figure.querySelector(".title")?.textContent ?? figure.id;
    const tools = make("div", { className: "tools" },
      button("SVG", `Save as SVG: ${title}`, () => save(`${figure.id}.svg`, "image/svg+xml", standalone(figure.querySelector("svg.picture")))),
      button("CSV", `Save as CSV: ${title}`, () => save(`${figure.id}.csv`, "text/csv", csv(data.columns, data.rows))));
    figure.querySelector("figcaption").append(tools);
  }

  // Tables: sort by a head, filter by words, take away.
  const valueOf = (cell) => ("v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent);
  const compare = (left, right) => {
    if (typeof left === typeof right) return typeof left === "number" ? left - right : left.localeCompare(right, "en", { numeric: true });
    return typeof left === "number" ? -1 : 1; // what has no number stands last
  };
  for (const holder of all(".table")) {
    const table = holder.querySelector("table");
    const body = table.tBodies[0];
    const heads = all("th", table);
    const original = [...body.rows];
    heads.forEach((head, column) => {
      const sorter = make("button", { type: "button", textContent: head.textContent });
      sorter.onclick = () => {
        const way = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") ?? "none"];
        for (const other of heads) other.removeAttribute("aria-sort");
        if (way !== "none") head.setAttribute("aria-sort", way);
        const sign = way === "descending" ? -1 : 1;
        const rows = way === "none" ? original : [...original].sort((a, b) => {
          const [left, right] = [valueOf(a.cells[column]), valueOf(b.cells[column])];
          return typeof left === typeof right ? sign * compare(left, right) : compare(left, right);
        });
        body.append(...rows);
      };
      head.replaceChildren(sorter);
    });
    const bar = make("div", { className: "bar" });
    if ("filter" in holder.dataset && original.length > 5) {
      const count = make("span");
      count.setAttribute("role", "status");
      const field = make("input", { type: "search", placeholder: "filter rows" });
      field.setAttribute("aria-label", `Filter ${holder.dataset.name}`);
      field.oninput = () => {
        const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const row of original) {
          const text = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
          shown += row.hidden ? 0 : 1;
        }
        count.textContent = words.length ? `${shown} of ${original.length}` : "";
      };
      bar.append(field, count);
    }
    const take = button("CSV", `Save as CSV: ${holder.dataset.name}`, () => {
      const rows = [...body.rows].filter((row) => !row.hidden);
      const cells = rows.map((row) => [...row.cells].map((cell) => valueOf(cell)));
      save(`${holder.dataset.name}.csv`, "text/csv", csv(heads.map((head) => head.textContent), cells));
    });
    bar.append(make("div", { className: "tools" }, take));
    holder.prepend(bar);
  }

  // One of several views at a time: a metric of the heat map, an axis of the curves.
  for (const group of all(".switch")) {
    const views = all(":scope > [data-choice]", group);
    if (views.length < 2) continue;
    const choose = make("div", { className: "choose" });
    choose.setAttribute("role", "group");
    choose.setAttribute("aria-label", group.dataset.of);
    const show = (index) => {
      views.forEach((view, i) => { view.hidden = i !== index; });
      [...choose.children].forEach((one, i) => one.setAttribute("aria-pressed", String(i === index)));
    };
    views.forEach((view, index) => choose.append(make("button", { type: "button", textContent: view.dataset.choice, onclick: () => show(index) })));
    group.prepend(choose);
    show(0);
    addEventListener("beforeprint", () => { for (const view of views) view.hidden = false; });
    addEventListener("afterprint", () => show([...choose.children].findIndex((one) => one.getAttribute("aria-pressed") === "true")));
  }

  // Code to the clipboard.
  for (const block of all("pre")) {
    const copy = button("Copy", "Copy this code", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    copy.className = "copy";
    if (navigator.clipboard) block.prepend(copy);
  }
})();
