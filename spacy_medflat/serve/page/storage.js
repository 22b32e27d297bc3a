// What a reload does not lose. The session's storage ends with the tab; only the language is kept longer.

const read = (storage, name) => {
  try {
    return JSON.parse(storage().getItem(`medflat.${name}`));
  } catch {
    return null;
  }
};

// false where the browser keeps no more, or nothing at all.
const write = (storage, name, value) => {
  try {
    if (value === null) storage().removeItem(`medflat.${name}`);
    else storage().setItem(`medflat.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
};

const session = () => window.sessionStorage;
const local = () => window.localStorage;

export const fromSession = name => read(session, name);
export const toSession = (name, value) => write(session, name, value);
export const fromBrowser = name => read(local, name);
export const toBrowser = (name, value) => write(local, name, value);
