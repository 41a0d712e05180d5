//! The difference as Markdown, in one comment on a pull request.

use paceline_text::{count, in_markdown as inline, list, sentence_in_markdown as sentence};

use super::Shown;
use super::sentences::sign;
use super::summary::Line;
use crate::model::{EdgeChange, PropertyChange, StackChange, StackDiff};

/// GitHub accepts so many characters in a comment. Others accept more.
pub const COMMENT_LIMIT: usize = 65_536;
/// Room for the sentence that says what is left out.
const ROOM_FOR_END: usize = 400;

/// The difference as Markdown, with at most `limit` bytes. What does not fit is left out, and a sentence says so. The
/// parts come in the order of their weight: what can go wrong, then the stacks.
pub fn markdown(shown: &Shown<'_>, limit: usize) -> String {
    let mut page =
        Page { out: String::new(), room: limit.saturating_sub(ROOM_FOR_END), left_out: Vec::new() };
    page.push(&format!("### {}\n", sentence(&shown.headline())));
    page.lines("Data", &shown.data());
    page.lines("Names that collide", &shown.collisions());
    page.lines("Newly allowed", &shown.access());
    if let Some(edges) = &shown.diff.edges {
        page.edges("New edges", &edges.gained);
        page.edges("Edges that are gone", &edges.lost);
    }
    if let Some(time) = shown.diff.time.as_ref().filter(|_| shown.diff.is_different()) {
        page.push(&format!("\n{}\n", sentence(&time.sentence())));
    }
    for other in shown.diff.others() {
        page.push(&format!("\n{}\n", inline(&other)));
    }
    page.stacks(&shown.diff.changed().collect::<Vec<_>>());
    page.finish()
}

struct Page {
    out: String,
    /// How many bytes the page may have.
    room: usize,
    /// What did not fit.
    left_out: Vec<String>,
}

impl Page {
    /// Adds a part if it fits.
    fn push(&mut self, part: &str) -> bool {
        self.push_within(self.room, part)
    }

    /// Adds a part if the page has at most so many bytes then.
    fn push_within(&mut self, room: usize, part: &str) -> bool {
        let fits = self.out.len() + part.len() <= room;
        if fits {
            self.out.push_str(part);
        }
        fits
    }

    /// Adds a title and as many items as fit.
    fn list(&mut self, title: &str, items: impl ExactSizeIterator<Item = String>) {
        let all = items.len();
        if all == 0 {
            return;
        }
        let mut added = 0;
        for (number, item) in items.enumerate() {
            let lead = if number == 0 { format!("\n#### {title}\n\n") } else { String::new() };
            // The stacks have room, too.
            if !self.push_within(self.room / 2, &format!("{lead}- {item}\n")) {
                break;
            }
            added += 1;
        }
        if added < all {
            self.left_out.push(format!("{} of \"{title}\"", count(all - added, "line")));
        }
    }

    fn lines(&mut self, title: &str, lines: &[Line]) {
        let items = lines.iter().map(|line| {
            let construct =
                line.construct.as_ref().map(|it| format!(" _{}_", inline(it))).unwrap_or_default();
            let alarm = if line.is_alarm { "⚠️ " } else { "" };
            format!("{alarm}**{}**: {}{construct}", inline(&line.stack), sentence(&line.sentence))
        });
        self.list(title, items);
    }

    fn edges(&mut self, title: &str, edges: &[EdgeChange]) {
        let items = edges.iter().map(|edge| {
            format!("{} waits for {}: {}", inline(&edge.from), inline(&edge.to), sentence(&edge.detail))
        });
        self.list(title, items);
    }

    /// A table of the stacks, then the details of each.
    fn stacks(&mut self, stacks: &[&StackDiff]) {
        if stacks.is_empty() {
            return;
        }
        let row = |stack: &&StackDiff| {
            format!(
                "| {} | {} | {} | {} |\n",
                inline(&stack.id),
                inline(&stack.target()),
                stack.verb(),
                stack.counts()
            )
        };
        let head = "\n#### Stacks\n\n| stack | | | resources |\n| --- | --- | --- | --- |\n";
        let mut rows = 0;
        if self.push(head) {
            rows = stacks.iter().take_while(|stack| self.push_within(self.room / 4 * 3, &row(stack))).count();
        }
        if rows < stacks.len() {
            self.left_out.push(format!("{} of \"Stacks\"", count(stacks.len() - rows, "line")));
        }
        let details: Vec<&&StackDiff> =
            stacks.iter().filter(|it| it.change == StackChange::Changed).collect();
        let missing = details.iter().filter(|stack| !self.details(stack)).count();
        if missing > 0 {
            self.left_out.push(format!("the details of {}", count(missing, "stack")));
        }
    }

    /// The details of a stack. If not all of them fit, as many as do.
    fn details(&mut self, stack: &StackDiff) -> bool {
        let open = format!("\n<details><summary>{}</summary>\n\n", inline(&stack.id));
        let close = "\n</details>\n";
        let mut part = open;
        let room = self.room.saturating_sub(self.out.len() + close.len());
        let (mut items, mut added) = (0, 0);
        for item in details(stack) {
            items += 1;
            if items == added + 1 && part.len() + item.len() <= room {
                part.push_str(&item);
                added += 1;
            }
        }
        if added > 0 {
            self.out.push_str(&part);
            self.out.push_str(close);
        }
        added == items
    }

    fn finish(mut self) -> String {
        if !self.left_out.is_empty() {
            let what = list(&self.left_out);
            let end = format!(
                "\nLeft out, because a comment has limited room: {what}. `paceline diff` shows all.\n"
            );
            self.out.push_str(&end);
        }
        self.out
    }
}

/// The changes of a stack, each with its lines.
fn details(stack: &StackDiff) -> Vec<String> {
    let mut items = Vec::new();
    let changes =
        |changes: &[PropertyChange]| -> String { below(changes.iter().map(|change| inline(&change.line()))) };
    for it in stack.resources.iter().filter(|it| !it.is_only_caused()) {
        let construct =
            it.place.construct.as_ref().map(|it| format!(" _{}_", inline(it))).unwrap_or_default();
        let remarks = below(it.remarks().iter().map(|remark| sentence(remark)));
        items.push(format!(
            "- `{}` **{}** {} ({}){construct}\n{remarks}{}",
            it.sign(),
            inline(&it.place.to_string()),
            it.verb(),
            inline(&it.resource_type),
            changes(&it.changes)
        ));
    }
    items.extend(stack.caused().map(|caused| format!("- `!` {}\n", inline(&caused))));
    for it in &stack.elements {
        items.push(format!(
            "- `{}` **{}** {}\n{}",
            sign(it.effect),
            inline(&it.name()),
            it.verb(),
            changes(&it.changes)
        ));
    }
    items.extend(stack.settings.iter().map(|it| format!("- `~` {}\n", inline(&it.line()))));
    items
}

/// The lines as a list inside of an item.
fn below(lines: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for line in lines {
        out.push_str("  - ");
        out.push_str(&line);
        out.push('\n');
    }
    out
}
