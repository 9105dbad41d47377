use std::fs;

use super::{serves_all_but, stopped_broker, try_to_produce};
use crate::kit::files::{Snapshot, cut, flip, the_one};
use crate::kit::refusal::run_to_end;

#[test]
fn a_damaged_manifest_takes_its_shard_out_of_service_and_no_other() {
    let (mut broker, kept) = stopped_broker();
    let manifest = the_one(&broker.data_dir().join("groups/1"), "manifest-");
    let bytes = fs::read(&manifest).unwrap();

    // Which partition is in the shard is not known from outside.
    flip(&manifest, 8);
    broker.restart().unwrap();
    let bad = i32::from(try_to_produce(&broker, &kept, 0).is_empty());
    let places = (1 - bad, bad);
    broker.kill().unwrap();

    let shown = manifest.display().to_string();
    type Spoil<'a> = &'a dyn Fn();
    let damage: [(Spoil<'_>, &[&str]); 5] = [
        (&|| flip(&manifest, 8), &[&shown, "damaged at byte 0", "restore the file"]),
        (&|| cut(&manifest, 10), &[&shown, "damaged at byte 0", "restore the file"]),
        (&|| flip(&manifest, 30), &["lost entries", "restore the data directory"]),
        (&|| cut(&manifest, 100), &["lost entries", "restore the data directory"]),
        (&|| fs::remove_file(&manifest).unwrap(), &["lost entries", "restore the data directory"]),
    ];
    for (spoil, words) in damage {
        fs::write(&manifest, &bytes).unwrap();
        spoil();
        serves_all_but(&mut broker, &kept, places, words);
        broker.kill().unwrap();
    }

    fs::write(&manifest, &bytes).unwrap();
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

#[test]
fn without_the_controllers_manifest_a_broker_does_not_start_and_its_data_waits() {
    let (mut broker, kept) = stopped_broker();
    let manifest = the_one(&broker.data_dir().join("groups/0"), "manifest-");
    let bytes = fs::read(&manifest).unwrap();
    let topics = Snapshot::of(&broker.data_dir().join("topics"));
    for at in [8, 30] {
        flip(&manifest, at);
        let ended = run_to_end(&broker.data_dir(), &[]);
        assert_eq!((ended.status.code(), ended.stderr.lines().count()), (Some(1), 1), "{}", ended.stderr);
        assert!(ended.stderr.contains("restore"), "{}", ended.stderr);
        fs::write(&manifest, &bytes).unwrap();
    }
    topics.assert_same(&Snapshot::of(&broker.data_dir().join("topics")));
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}
