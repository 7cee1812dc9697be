// Light or dark: what the machine prefers, until a person chooses. The choice stays in this browser.

const KEPT_AS = "elora.theme";
const lightPreferred = window.matchMedia("(prefers-color-scheme: light)");

export type Theme = "dark" | "light";

/** The least favorable ground a name is written on, per theme: contrast is reckoned against these. Tokens of theme.css. */
const GROUNDS: Record<Theme, string> = { dark: "#12263b", light: "#e2effd" };

class ThemeChoice {
  #chosen = $state<Theme | null>(kept());
  #preferred = $state<Theme>(lightPreferred.matches ? "light" : "dark");

  constructor() {
    lightPreferred.addEventListener("change", ({ matches }) => {
      this.#preferred = matches ? "light" : "dark";
      this.#show();
    });
    this.#show();
  }

  get current(): Theme {
    return this.#chosen ?? this.#preferred;
  }

  get ground(): string {
    return GROUNDS[this.current];
  }

  toggle() {
    this.#chosen = this.current === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEPT_AS, this.#chosen);
    } catch {
      // Storage may be blocked; the choice then lasts as long as the page.
    }
    this.#show();
  }

  #show() {
    document.documentElement.dataset.theme = this.current;
  }
}

function kept(): Theme | null {
  try {
    const value = localStorage.getItem(KEPT_AS);
    return value === "dark" || value === "light" ? value : null;
  } catch {
    return null;
  }
}

export const theme = new ThemeChoice();
