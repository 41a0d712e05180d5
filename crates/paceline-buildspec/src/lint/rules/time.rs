//! Waits that are longer than the build.

use crate::grammar::Document;
use crate::lint::rule::{Checker, rule};
use crate::shell::{
    Command, CommandKind, Context, List, Loop, Visitor, Word, WordPart, calls, visit_script, walk_command,
};

rule!(TOO_LONG, "PL411", Warning, "a wait that is longer than the build", too_long);

fn too_long(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some(minutes) = checker.project().and_then(|project| project.timeout_minutes) else {
        return;
    };
    let limit = minutes.saturating_mul(60);
    for item in &document.items {
        for call in item.calls() {
            let arguments = call.arguments();
            let wait = match call.program() {
                "timeout" => duration(arguments),
                "sleep" => arguments.first().and_then(|word| seconds(word)),
                _ => None,
            };
            if let Some(wait) = wait.filter(|wait| *wait >= limit) {
                let finding = checker.report(document.first_line(item.source(&call.span)));
                finding.message(format!(
                    "this waits for {}, and the build may take {minutes} minutes",
                    spoken(wait)
                ));
                finding.hint("CodeBuild ends the build first, and the next commands do not run");
            }
        }
        let mut loops = Loops::default();
        visit_script(&mut loops, &item.script.body);
        for (command, of) in loops.0 {
            let (Some(rounds), Some(pause)) = (rounds(of), pause(&of.body)) else { continue };
            let wait = rounds.saturating_mul(pause);
            if wait >= limit {
                let finding = checker.report(document.first_line(item.source(&command.span)));
                finding.message(format!(
                    "{rounds} rounds of {pause} seconds are {}, and the build may take {minutes} minutes",
                    spoken(wait)
                ));
                finding.hint("CodeBuild ends the build first, and the commands after the loop do not run");
            }
        }
    }
}

/// The duration of `timeout`, which is its first argument that is not an option.
fn duration(arguments: &[String]) -> Option<u64> {
    let mut arguments = arguments.iter();
    loop {
        let argument = arguments.next()?;
        match argument.as_str() {
            "-k" | "-s" | "--kill-after" | "--signal" => drop(arguments.next()),
            option if option.starts_with('-') => {}
            duration => return seconds(duration),
        }
    }
}

fn spoken(seconds: u64) -> String {
    format!("{} minutes", seconds / 60)
}

/// Parses `90`, `5m`, `2h`, `1.5h` as `sleep` and `timeout` do.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3600.0),
        (at, 'd') => (&text[..at], 86400.0),
        _ => (text, 1.0),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = is_number.then(|| number.parse::<f64>().ok())?? * unit;
    // The cap is about three years. Longer waits make no difference.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded, and never below zero"
    )]
    Some(seconds.min(1e8) as u64)
}

/// The loops of a script, without those of functions, which may never run.
#[derive(Default)]
struct Loops<'a>(Vec<(&'a Command, &'a Loop)>);

impl<'a> Visitor<'a> for Loops<'a> {
    fn visit_command(&mut self, command: &'a Command, context: Context) {
        match &command.kind {
            CommandKind::Function { .. } => return,
            CommandKind::Loop(of) => self.0.push((command, of)),
            _ => {}
        }
        walk_command(self, command, context);
    }

    fn visit_word(&mut self, _: &'a Word, _: Context) {}
}

/// The number of rounds of `for x in …`, if it is visible.
fn rounds(of: &Loop) -> Option<u64> {
    let [value] = &of.values[..] else {
        return (!of.values.is_empty()).then_some(of.values.len() as u64);
    };
    if let Some(range) =
        value.literal().and_then(|text| Some(text.strip_prefix('{')?.strip_suffix('}')?.to_owned()))
    {
        let (from, to) = range.split_once("..")?;
        return Some(to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)? + 1);
    }
    let [WordPart::Commands(list)] = &value.parts[..] else { return None };
    let [statement] = &list.0[..] else { return None };
    let simple = statement.single()?.simple()?;
    let words: Vec<String> = simple.words.iter().map(Word::shown).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seq", to] => to.parse().ok(),
        ["seq", from, to] => Some(to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)? + 1),
        _ => None,
    }
}

/// The time that a round sleeps.
fn pause(body: &List) -> Option<u64> {
    let calls = calls(body);
    let pauses = calls.iter().filter(|call| call.program() == "sleep" && !call.context.looped);
    let total = pauses.filter_map(|call| call.arguments().first().and_then(|word| seconds(word))).sum();
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_are_parsed_like_the_commands_parse_them() {
        for (text, expected) in [
            ("90", Some(90)),
            ("5m", Some(300)),
            ("1.5h", Some(5400)),
            ("1d", Some(86400)),
            ("m", None),
            ("$X", None),
            ("", None),
            ("1.2.3", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
