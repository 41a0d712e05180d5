//! Patterns with `*` and `?`, as AWS reads them in policies and in names.

/// Whether a pattern means a text: `*` stands for any text, `?` for any character. The text may be a pattern itself. Then the
/// answer is whether the first pattern means all that the second one means, so `?` does not stand for a `*`.
pub fn is_wildcard_match(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The place after the last `*`, and the end of what it stands for.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(&c) if c == text[read] || (c == '?' && text[read] != '*') => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, until)) = star else { return false };
                star = Some((after, until + 1));
                (at, read) = (after, until + 1);
            }
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::is_wildcard_match;

    #[track_caller]
    fn check(pattern: &str, meant: &[&str], others: &[&str]) {
        for text in meant {
            assert!(is_wildcard_match(pattern, text), "{pattern} means {text}");
        }
        for text in others {
            assert!(!is_wildcard_match(pattern, text), "{pattern} does not mean {text}");
        }
    }

    #[test]
    fn a_pattern_means_whole_texts() {
        check("abc", &["abc"], &["abcd", "zabc", "ABC", ""]);
        check("prod-*", &["prod-", "prod-5xx", "prod-a-b"], &["prod", "my-prod-5xx"]);
        check("prod-?xx", &["prod-5xx", "prod-éxx"], &["prod-xx", "prod-55xx"]);
        check("*-5xx-*", &["a-5xx-b", "-5xx-5xx-", "x-5xx-5xx-5xx-y"], &["a-5xx", "5xx-b"]);
        check("*b*d", &["abcd", "bd", "abdbd"], &["abc", "db"]);
        check("a[b].c", &["a[b].c"], &["ab.c", "a[b]xc"]);
        check("**", &["", "x"], &[]);
        check("", &[""], &["x"]);
    }

    #[test]
    fn a_pattern_means_what_a_narrower_pattern_means() {
        check("s3:*", &["s3:*", "s3:Get*", "s3:?"], &["*", "s?:*"]);
        check("s3:Get*", &["s3:GetObject*"], &["s3:*"]);
        check("a?c", &["a?c"], &["a*c"]);
    }
}
