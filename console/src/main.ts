import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { keepTold } from "./lib/told";

const target = document.getElementById("app");
if (target === null) throw new Error("the page has no #app");
keepTold(target);
mount(App, { target });
