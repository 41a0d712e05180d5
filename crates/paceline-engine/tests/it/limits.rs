//! Limits of steps that run at once. `invariants` checks for every run that no limit is exceeded.

use crate::draft::Draft;
use crate::script::{Script, ran};

#[test]
fn stacks_files_and_images_have_separate_limits() {
    let mut draft = Draft::new().limited(1, 2, 3);
    for number in 0..6 {
        draft.stack(&format!("S{number}"), 60, &[]);
        draft.file(&format!("f{number}"), 60);
        draft.image(&format!("i{number}"), 60);
    }
    let ran = ran(draft.plan(), Script::default());
    assert_eq!(
        (ran.ended("deploy:S5"), ran.ended("publish:f5"), ran.ended("publish:i5")),
        (360.0, 180.0, 120.0)
    );
}

#[test]
fn gates_and_commands_have_no_limit() {
    let mut draft = Draft::new().limited(100, 1, 1);
    let stacks: Vec<usize> = (0..100).map(|number| draft.stack(&format!("S{number}"), 60, &[])).collect();
    for stack in stacks {
        draft.gate(stack, 60);
        draft.command(&format!("after-{stack}"), 60, &[stack]);
    }
    assert_eq!(ran(draft.plan(), Script::default()).total(), 120.0);
}
