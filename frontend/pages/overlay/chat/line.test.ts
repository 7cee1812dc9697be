import { render } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { message } from "../../../lib/fixtures";
import { parseOptions } from "./options";
import OverlayLine from "./OverlayLine.svelte";

test("a sum does not stick to what was said with it", () => {
  const money = { amount_micros: 10_000_000, currency: "USD", display: "$10.00", tier: null };
  const text = "for repairs";
  const line = message(1, { text, fragments: [{ type: "text", text }], money });

  const { container } = render(OverlayLine, { line, options: parseOptions(""), icon: false, leaving: false });

  expect(container.textContent).toContain("$10.00 for repairs");
});
