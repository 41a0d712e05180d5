//! Words of a format or of a service as a type: each known word is a variant, and an unknown one is kept as it is.

/// Makes an enum of words that others may add to: the statuses of CloudFormation, the kinds of steps in a journal of a
/// newer version.
///
/// The enum gets a variant `Other(String)`, `KNOWN`, `as_str`, `From<&str>`, `From<String>`, `Display`, and serde's
/// traits, by which it is a string. The crate that uses it needs serde.
///
/// ```
/// paceline_text::vocabulary! {
///     /// Where something lies.
///     Side { Left = "left", Right = "right" }
/// }
/// assert_eq!(Side::from("left"), Side::Left);
/// assert_eq!(Side::from("above"), Side::Other("above".to_owned()));
/// ```
#[macro_export]
macro_rules! vocabulary {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$what])* #[doc = concat!("`", $text, "`")] $variant,)+
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// Every word that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)+];

            /// The word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}
