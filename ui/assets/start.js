// Loads the console. What goes wrong before the console can speak for itself is said here.
import start from "./fogward_ui.js";

start({ module_or_path: new URL("fogward_ui_bg.wasm", import.meta.url) }).catch(function (reason) {
  var place = document.createElement("div");
  place.className = "empty";
  place.setAttribute("role", "alert");
  var what = document.createElement("h1");
  what.textContent = "The console could not start";
  var why = document.createElement("p");
  why.textContent = "This browser did not run the console’s program (" + String(reason) + "). Recording goes on in the node. "
    + "Next: load the page again; if it stays, use a browser from 2024 or newer.";
  place.append(what, why);
  document.body.append(place);
});
