//! Writes generated files, and finds stale ones.

use camino::Utf8Path;
use paceline_buildspec::{FileChanges, Mode, write_files};

use crate::{files, workshop};

#[test]
fn files_are_written_once_and_checked_without_writing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap().join("new/buildspecs");
    let files = files(&workshop());

    let missing = write_files(&dir, Some("workshop"), &files, Mode::Check).unwrap();
    assert_eq!(missing.stale.len(), 6);
    assert!(missing.stale[0].diff.starts_with("--- /dev/null\n"), "{}", missing.stale[0].diff);
    assert!(!dir.exists());

    assert_eq!(write_files(&dir, Some("workshop"), &files, Mode::Write).unwrap().written.len(), 6);
    let unchanged = files.iter().map(|file| dir.join(&file.path)).collect::<Vec<_>>();
    let same = FileChanges { unchanged: unchanged.clone(), ..FileChanges::default() };
    assert_eq!(write_files(&dir, Some("workshop"), &files, Mode::Write).unwrap(), same);
    assert_eq!(write_files(&dir, Some("workshop"), &files, Mode::Check).unwrap(), same);

    let edited = files[0].contents.replace("shell: bash", "shell: /bin/sh");
    fs_err::write(&unchanged[0], &edited).unwrap();
    let checked = write_files(&dir, Some("workshop"), &files, Mode::Check).unwrap();
    assert_eq!(checked.stale.len(), 1);
    assert_eq!(checked.stale[0].path, unchanged[0]);
    let diff = &checked.stale[0].diff;
    assert!(diff.contains("\n-  shell: /bin/sh\n+  shell: bash\n"), "{diff}");
    assert_eq!(fs_err::read_to_string(&unchanged[0]).unwrap(), edited);

    let written = write_files(&dir, Some("workshop"), &files, Mode::Write).unwrap();
    assert_eq!((written.written.len(), written.unchanged.len()), (1, 5));
    assert_eq!(fs_err::read_to_string(&unchanged[0]).unwrap(), files[0].contents);
    assert_eq!(fs_err::read_dir(&dir).unwrap().count(), 6, "no temporary file is left");
}

#[test]
fn a_folder_in_the_way_is_an_error_that_names_it() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap();
    fs_err::create_dir_all(dir.join("workshop.project.json")).unwrap();
    let error = write_files(dir, Some("workshop"), &files(&workshop()), Mode::Write).unwrap_err();
    assert!(error.to_string().contains("workshop.project.json"), "{error}");
    assert!(!dir.join("workshop.yml").exists(), "all are read before any is written");
}

#[test]
fn a_file_that_is_no_longer_generated_is_stale_and_is_removed() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap();
    let files = files(&workshop());
    write_files(dir, Some("workshop"), &files, Mode::Write).unwrap();
    // One file belongs to another project, and one was written by a person.
    fs_err::write(dir.join("other.batch.yml"), &files[0].contents).unwrap();
    let own = dir.join("workshop.batch.yml");
    fs_err::write(&own, "version: 0.2\n").unwrap();
    assert_eq!(write_files(dir, Some("workshop"), &files, Mode::Check).unwrap().stale, []);

    fs_err::write(&own, &files[0].contents).unwrap();
    let stale = write_files(dir, Some("workshop"), &files, Mode::Check).unwrap().stale;
    assert_eq!(stale.len(), 1);
    assert!(stale[0].diff.contains("\n+++ /dev/null\n"), "{}", stale[0].diff);
    assert!(own.exists());
    assert_eq!(
        write_files(dir, Some("workshop"), &files, Mode::Write).unwrap().removed,
        std::slice::from_ref(&own)
    );
    assert!(!own.exists() && dir.join("other.batch.yml").exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_replaced_leaves_the_others_unchanged() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap();
    // The folder of the last file is really a file, so the new text cannot be written.
    let mut files = files(&workshop());
    fs_err::write(dir.join("file"), "").unwrap();
    files.last_mut().unwrap().path = "file/workshop.project.ts".into();
    fs_err::write(dir.join("workshop.yml"), "old").unwrap();
    write_files(dir, Some("workshop"), &files, Mode::Write).unwrap_err();
    assert_eq!(fs_err::read_to_string(dir.join("workshop.yml")).unwrap(), "old");
    assert_eq!(fs_err::read_dir(dir).unwrap().count(), 2, "no temporary file is left");
}
