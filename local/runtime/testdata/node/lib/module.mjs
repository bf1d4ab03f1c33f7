import { readFile } from "node:fs/promises";
export const handler = async () => typeof readFile;
