// Draws the reference from the OpenAPI document beside this page. Calls go to the same origin.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  dom_id: "#reference",
  url: "openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  syntaxHighlight: { theme: "obsidian" },
  validatorUrl: null, // or it would ask another server about the document
  // There is one server, the one of this page.
  plugins: [() => ({ wrapComponents: { ServersContainer: () => () => null } })],
});
