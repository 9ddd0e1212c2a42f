"use strict";
/* What is nicer with JavaScript; everything but passkeys works without it. */
(() => {
  const each = (selector, work) => document.querySelectorAll(selector).forEach(work);

  each("[data-copy]", (button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      const before = button.textContent;
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = before; }, 2000);
    });
  });

  each("[data-print]", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });

  each("[data-all]", (box) => {
    box.closest("[hidden]")?.removeAttribute("hidden");
    box.addEventListener("change", () => each(box.dataset.all, (other) => { other.checked = box.checked; }));
  });

  // A file that is dropped is read into the text beside it: what is sent is what one sees.
  each("[data-drop]", (place) => {
    const text = document.getElementById(place.dataset.drop);
    const read = async (file) => { if (file && file.size < 262144) text.value = await file.text(); };
    place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("over"); });
    place.addEventListener("dragleave", () => place.classList.remove("over"));
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      place.classList.remove("over");
      read(event.dataTransfer.files[0]);
    });
  });

  // What goes on is shown as it goes on: the page reloads itself without JavaScript, and this replaces its part with it.
  each("[data-live]", (part) => {
    const refresh = async () => {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (!answer.ok) { location.reload(); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live], [data-done]");
      if (!fresh) { location.reload(); return; }
      part.replaceChildren(...fresh.childNodes);
      if (fresh.hasAttribute("data-live")) setTimeout(refresh, 600);
    };
    setTimeout(refresh, 600);
  });

  // Passkeys (WebAuthn) have no other way than JavaScript; a password with a code is the way without.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const asked = async (form) => {
    const answer = await fetch(form.dataset.options, { method: "POST", body: new FormData(form) });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    return answer.json();
  };
  const made = async (form) => {
    const options = await asked(form);
    options.challenge = bytes(options.challenge);
    (options.allowCredentials || options.excludeCredentials || []).forEach((one) => { one.id = bytes(one.id); });
    if (form.dataset.passkey === "create") {
      options.user.id = bytes(options.user.id);
      const { id, rawId, type, response } = await navigator.credentials.create({ publicKey: options });
      return { id, type, rawId: text(rawId), response: {
        attestationObject: text(response.attestationObject), clientDataJSON: text(response.clientDataJSON) } };
    }
    const { id, rawId, type, response } = await navigator.credentials.get({ publicKey: options });
    return { id, type, rawId: text(rawId), response: {
      authenticatorData: text(response.authenticatorData), clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature), userHandle: response.userHandle && text(response.userHandle) } };
  };
  each("form[data-passkey]", (form) => {
    if (!window.PublicKeyCredential) return;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      const told = form.querySelector("[data-told]");
      try {
        form.elements.credential.value = JSON.stringify(await made(form));
        form.submit();
      } catch (error) {
        told.textContent = error.message;
        told.hidden = false;
      }
    });
  });
})();
