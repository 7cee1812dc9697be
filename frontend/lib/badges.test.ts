import { expect, test } from "vitest";
import { badgeLook } from "./badges";

test("a rank that another platform calls otherwise looks the same and keeps its name", () => {
  const look = (set: string) => badgeLook({ set, version: "1", title: null });

  for (const [other, known] of [["owner", "broadcaster"], ["member", "subscriber"], ["admin", "staff"], ["turbo", "premium"]]) {
    expect(look(other!).mark).toBe(look(known!).mark);
    expect(look(other!).mark).not.toBeNull();
  }
  expect(look("owner").label).toBe("Owner");
  expect(look("glitchcon2020").mark).toBeNull();
});
