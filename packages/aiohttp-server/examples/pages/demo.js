"use strict";

const $ = (selector) => document.querySelector(selector);

// The plot: its newest 120 values, drawn anew with each event.
const COUNT = 120, WIDTH = 600, HEIGHT = 160;
const values = [];

function draw() {
  const top = Math.max(2, ...values) * 1.1;
  const x = (index) => (WIDTH * (COUNT - values.length + index) / (COUNT - 1)).toFixed(1);
  const y = (value) => (HEIGHT - HEIGHT * Math.max(0, value) / top).toFixed(1);
  const points = values.map((value, index) => `${x(index)},${y(value)}`).join(" ");
  $("#line").setAttribute("points", points);
  $("#area").setAttribute("points", `${x(0)},${HEIGHT} ${points} ${WIDTH},${HEIGHT}`);
  $("#late").textContent = `${values.at(-1).toFixed(1)} ms late`;
  $("#scale").textContent = `the last ${COUNT / 10} s · 0 to ${top.toFixed(1)} ms`;
}

// A browser connects again by itself, should the server be gone for a while.
new EventSource("/pulse").onmessage = (event) => {
  values.push(JSON.parse(event.data).late);
  values.splice(0, values.length - COUNT);
  draw();
};

// The upload: by XMLHttpRequest, for fetch tells nothing of its progress. Without this
// script the form works as well, and ends at the listing.
const form = $("#upload"), bar = $("progress"), output = $("#progress"), button = $("button");
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

form.onsubmit = (event) => {
  event.preventDefault();
  const request = new XMLHttpRequest();
  const began = performance.now();
  let size = 0;
  request.upload.onprogress = ({loaded, total}) => {
    size = total;
    bar.value = loaded / total;
    output.textContent = `${megabytes(loaded)} of ${megabytes(total)}`;
  };
  request.onload = () => {
    const seconds = (performance.now() - began) / 1000;
    const isKept = request.status === 200;
    output.textContent = isKept
      ? `${megabytes(size)} kept, in ${seconds.toFixed(1)} s`
      : `${request.status} ${request.statusText}`;
    if (isKept) form.reset();
  };
  request.onerror = () => { output.textContent = "the connection broke off"; };
  request.onloadend = () => { button.disabled = false; };
  button.disabled = true;
  request.open(form.method, form.action);
  request.send(new FormData(form));
};
