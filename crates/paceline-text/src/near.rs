//! The name that a mistyped one was meant to be.

/// The name that a mistake in typing makes of `text`, or else the only one that it is a part of. None rather than one
/// that has little to do with it.
pub fn near<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    let length = text.chars().count();
    // One letter of three may be wrong: `Nope` is not `Api`.
    let most = (length / 3).clamp(usize::from(length > 1), 3);
    let far = |name: &str| {
        let name = name.to_lowercase();
        let last = name.rsplit('/').next().unwrap_or_default();
        distance(&text, &name).min(distance(&text, last))
    };
    let names: Vec<(usize, &str)> = names.map(|name| (far(name), name)).collect();
    if let Some((_, name)) = names.iter().filter(|(distance, _)| *distance <= most).min() {
        return Some(name);
    }
    let mut holding = names.iter().filter(|(_, name)| length > 2 && name.to_lowercase().contains(&text));
    let (_, only) = holding.next()?;
    holding.next().is_none().then_some(*only)
}

/// The number of insertions, deletions and replacements that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, near};

    #[test]
    fn the_nearest_name_is_meant_or_the_only_one_that_holds_the_text() {
        let of = |text| near(text, ["Dashboard", "UserSimulationStack", "Prod/Services"].into_iter());
        assert_eq!(of("Dashbord"), Some("Dashboard"));
        assert_eq!(of("usersimulation"), Some("UserSimulationStack"));
        assert_eq!(of("Services"), Some("Prod/Services"));
        assert_eq!(of("Servcies"), Some("Prod/Services"));
        for far in ["Frontend", "Nope", "Data", "s", ""] {
            assert_eq!(of(far), None, "{far}");
        }
        let of = |text| near(text, ["Api", "Web", "ApiBackend"].into_iter());
        assert_eq!(of("Nope"), None);
        assert_eq!(of("apo"), Some("Api"));
        assert_eq!(of("back"), Some("ApiBackend"));
        assert_eq!(of("ackend"), Some("ApiBackend"));
        let of = |text| near(text, ["FrontService", "BackService"].into_iter());
        assert_eq!(of("service"), None, "it is a part of two");
    }

    #[test]
    fn a_typing_mistake_is_near_and_another_word_is_far() {
        assert_eq!(distance("servces", "services"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert!(distance("network", "observability") > 3);
    }
}
