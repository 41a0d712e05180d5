//! Writing generated files, and finding stale ones.

use camino::Utf8Path;
use paceline_buildspec::{Mode, Reconciled, reconcile};

use crate::{files, workshop};

#[test]
fn files_are_written_once_and_checked_without_writing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap().join("new/buildspecs");
    let files = files(&workshop());

    let missing = reconcile(&dir, &files, Mode::Check).unwrap();
    assert_eq!(missing.stale.len(), 3);
    assert!(missing.stale[0].diff.starts_with("--- /dev/null\n"), "{}", missing.stale[0].diff);
    assert!(!dir.exists());

    assert_eq!(reconcile(&dir, &files, Mode::Write).unwrap().written.len(), 3);
    let unchanged = files.iter().map(|file| dir.join(&file.path)).collect::<Vec<_>>();
    let same = Reconciled { unchanged: unchanged.clone(), ..Reconciled::default() };
    assert_eq!(reconcile(&dir, &files, Mode::Write).unwrap(), same);
    assert_eq!(reconcile(&dir, &files, Mode::Check).unwrap(), same);

    let edited = files[0].contents.replace("shell: bash", "shell: /bin/sh");
    fs_err::write(&unchanged[0], &edited).unwrap();
    let checked = reconcile(&dir, &files, Mode::Check).unwrap();
    assert_eq!(checked.stale.len(), 1);
    assert_eq!(checked.stale[0].path, unchanged[0]);
    let diff = &checked.stale[0].diff;
    assert!(diff.contains("\n-  shell: /bin/sh\n+  shell: bash\n"), "{diff}");
    assert_eq!(fs_err::read_to_string(&unchanged[0]).unwrap(), edited);

    let written = reconcile(&dir, &files, Mode::Write).unwrap();
    assert_eq!((written.written.len(), written.unchanged.len()), (1, 2));
    assert_eq!(fs_err::read_to_string(&unchanged[0]).unwrap(), files[0].contents);
    assert_eq!(fs_err::read_dir(&dir).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn a_folder_in_the_way_is_an_error_that_names_it() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap();
    fs_err::create_dir_all(dir.join("workshop.project.json")).unwrap();
    let error = reconcile(dir, &files(&workshop()), Mode::Write).unwrap_err();
    assert!(error.to_string().contains("workshop.project.json"), "{error}");
    assert!(!dir.join("workshop.yml").exists(), "all are read before any is written");
}
