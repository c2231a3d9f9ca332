// Show the API's document. A key that a reader enters stays in this page, and goes with it.
"use strict";

function fromOurPages(request) {
  // Else a write with a session's cookie would be refused.
  request.headers["X-Requested-With"] = "XMLHttpRequest";
  return request;
}

SwaggerUIBundle({
  url: new URL("api/v1/openapi.json", document.baseURI).href,
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: false,
  requestInterceptor: fromOurPages,
  tryItOutEnabled: true,
  validatorUrl: null,
});
