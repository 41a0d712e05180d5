//! The difference as text, for a terminal or a build log.

use paceline_text::{Style, TIED, Tone, clean, one_line, wrap};

use super::Shown;
use super::sentences::sign;
use super::summary::Line;
use crate::model::{EdgeChange, PropertyChange, ResourceDiff, StackChange, StackDiff};

/// The difference as text.
pub fn text(shown: &Shown<'_>, style: Style) -> String {
    let mut page = Page { out: String::new(), style };
    page.paragraph("", &shown.headline(), Tone::Strong);
    page.lines("Data", &shown.data());
    page.lines("Names that collide", &shown.collisions());
    page.lines("Newly allowed", &shown.access());
    for stack in shown.diff.changed() {
        page.stack(stack);
    }
    if let Some(edges) = &shown.diff.edges {
        page.edges("New edges", '+', &edges.gained);
        page.edges("Edges that are gone", '-', &edges.lost);
    }
    page.empty_line();
    if let Some(time) = shown.diff.time.as_ref().filter(|_| shown.diff.is_different()) {
        page.paragraph("", &time.sentence(), Tone::Plain);
    }
    for other in shown.diff.others() {
        page.paragraph("", &other, Tone::Dim);
    }
    page.out
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn empty_line(&mut self) {
        self.out.push('\n');
    }

    /// A text that is broken between words. `first` stands before its first line, and every other line starts below
    /// where the text does.
    fn paragraph(&mut self, first: &str, text: &str, tone: Tone) {
        let indent = first.chars().count();
        for (number, line) in wrap(&one_line(&clean(text)), self.style.room(indent)).iter().enumerate() {
            let lead = if number == 0 { first.to_owned() } else { " ".repeat(indent) };
            self.out.push_str(&lead);
            self.out.push_str(&self.style.paint(tone, line));
            self.out.push('\n');
        }
    }

    fn title(&mut self, title: &str) {
        self.empty_line();
        self.paragraph("", title, Tone::Strong);
    }

    fn lines(&mut self, title: &str, lines: &[Line]) {
        if lines.is_empty() {
            return;
        }
        self.title(title);
        for line in lines {
            let (sign, tone) = if line.is_alarm { ("  ! ", Tone::Warn) } else { ("  - ", Tone::Plain) };
            self.paragraph(sign, &format!("{}: {}", line.stack, line.sentence), tone);
            if let Some(construct) = &line.construct {
                self.paragraph("      ", construct, Tone::Dim);
            }
        }
    }

    fn stack(&mut self, stack: &StackDiff) {
        let target = stack.target();
        let target = if target.is_empty() { String::new() } else { format!(" ({target})") };
        self.title(&format!("{}{target} {}: {}", stack.id, stack.verb(), stack.counts()));
        if stack.change == StackChange::Added {
            let types = stack.types().into_iter().map(|(name, number)| {
                if number == 1 { name.to_owned() } else { format!("{name}{TIED}×{number}") }
            });
            self.paragraph("  + ", &types.collect::<Vec<_>>().join(", "), Tone::Plain);
            return;
        }
        for resource in stack.resources.iter().filter(|it| !it.is_only_caused()) {
            self.resource(resource);
        }
        if let Some(caused) = stack.caused() {
            self.paragraph("  ! ", &caused, Tone::Warn);
        }
        for element in &stack.elements {
            self.paragraph(
                &format!("  {} ", sign(element.effect)),
                &format!("{} {}", element.name(), element.verb()),
                Tone::Plain,
            );
            self.changes(&element.changes);
        }
        for setting in &stack.settings {
            self.paragraph("  ~ ", &setting.line(), Tone::Plain);
        }
    }

    fn resource(&mut self, it: &ResourceDiff) {
        let tone = match it.sign() {
            '+' => Tone::Good,
            '-' => Tone::Bad,
            '!' => Tone::Warn,
            _ => Tone::Plain,
        };
        let title = format!("{} {} ({})", it.place, it.verb(), it.resource_type);
        self.paragraph(&format!("  {} ", it.sign()), &title, tone);
        if let Some(construct) = &it.place.construct {
            self.paragraph("      ", construct, Tone::Dim);
        }
        for remark in it.remarks() {
            self.paragraph("      ", &remark, Tone::Warn);
        }
        self.changes(&it.changes);
    }

    fn changes(&mut self, changes: &[PropertyChange]) {
        for change in changes {
            self.paragraph("      ", &change.line(), Tone::Plain);
        }
    }

    fn edges(&mut self, title: &str, sign: char, edges: &[EdgeChange]) {
        if edges.is_empty() {
            return;
        }
        self.title(title);
        for edge in edges {
            let text = format!("{} waits for {}: {}", edge.from, edge.to, edge.detail);
            self.paragraph(&format!("  {sign} "), &text, Tone::Plain);
        }
    }
}
