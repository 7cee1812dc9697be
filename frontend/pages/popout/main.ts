import { mount } from "svelte";
import "../../lib/theme.css";
import "./popout.css";
import Page from "./Page.svelte";

mount(Page, { target: document.getElementById("page")! });
