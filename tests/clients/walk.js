// What the walks of all JavaScript libraries share, whichever client they have.

/** A name that no other walk uses on this broker. */
const unique = (name) => `${name}-${process.pid}-${Date.now().toString(36)}`;

/** Resolves once `condition` holds; `check` must be called whenever something changed. */
function until(condition) {
  let check;
  const done = new Promise((resolve) => (check = () => condition() && resolve()));
  check();
  return { check, done };
}

/** Runs a walk; its failure is the program's. */
function walk(main) {
  main().then(
    () => console.log("done"),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { unique, until, walk };
