// Asks a device for a passkey. Forms for it stay hidden where a browser has no script or no passkeys.

const canAsk = Boolean(
  window.PublicKeyCredential?.parseRequestOptionsFromJSON && window.PublicKeyCredential?.parseCreationOptionsFromJSON,
);

// A challenge costs the server a row, so it is asked for when somebody wants to use it.
const challenge = async (form) => {
  const body = new URLSearchParams({ csrf: form.elements.csrf.value });
  const answer = await fetch(form.dataset.challenge, { method: "POST", body });
  if (!answer.ok) throw new Error(`the challenge was refused with ${answer.status}`);
  return answer.json();
};

const ask = async (form) => {
  const options = await challenge(form);
  return form.dataset.passkey === "add"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
};

const addPasskey = (form) => {
  const answer = form.querySelector("[data-answer]");
  const status = form.querySelector("[role=status]");
  form.addEventListener("submit", async (event) => {
    if (answer.value) return;
    event.preventDefault();
    status.textContent = "";
    try {
      answer.value = JSON.stringify(await ask(form));
      form.requestSubmit();
    } catch {
      status.textContent = form.dataset.failed; // cancelled, no passkey here, or out of time: all the same to whoever asks
    }
  });
  form.hidden = false;
};

if (canAsk) {
  for (const note of document.querySelectorAll("[data-without-passkeys]")) note.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) addPasskey(form);
}
