// Sends a file and reads it again, as any program does with OpenAI's SDK for Node, which knows
// OPENAI_BASE_URL and OPENAI_API_KEY. Prints the file object.

import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import OpenAI from "openai";

const [path, copy] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0 });
const file = await client.files.create({ file: createReadStream(path), purpose: "user_data" });
const content = await client.files.content(file.id);
await pipeline(content.body, createWriteStream(copy));
console.log(JSON.stringify(file));
