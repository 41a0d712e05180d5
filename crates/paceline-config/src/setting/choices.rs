//! Settings of which there are a few, each with its word.

/// Declares an enum whose values are words of the file. The words are also those of plans and of other files.
///
/// ```text
/// choices! {
///     /// What decides when a stack may start.
///     pub enum Strategy: "a strategy" {
///         /// Only its dependencies.
///         Graph = "graph",
///         /// Also the end of every phase before its own.
///         Phases = "phases",
///     }
///     default Graph
/// }
/// ```
///
/// The text behind the colon is what a wrong word is said not to be. Values after `computed` are none that the file can
/// have: Paceline finds them out itself.
macro_rules! choices {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident: $what:literal {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal ),+ $(,)?
        }
        $(default $default:ident)?
        $(computed $($computed:ident),+)?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::SettingError;

            fn from_str(text: &str) -> Result<Self, $crate::SettingError> {
                let found = Self::ALL.iter().copied().find(|it| it.as_str() == text);
                found.ok_or_else(|| {
                    let hint = $crate::setting::one_of(text, Self::ALL.iter().map(|it| it.as_str()));
                    $crate::SettingError::new(format!("`{text}` is not {}", $what), hint)
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $name {
            /// The values that the file can have.
            fn settable() -> impl Iterator<Item = Self> + Clone {
                let computed: &[Self] = &[$($( Self::$computed ),+)?];
                Self::ALL.iter().copied().filter(move |it| !computed.contains(it))
            }
        }

        impl $crate::setting::Setting for $name {
            fn read(node: &paceline_yaml::Node) -> Result<Self, $crate::setting::Problem> {
                let text = $crate::setting::text(node)?;
                Self::settable().find(|it| it.as_str() == text).ok_or_else(|| {
                    let hint = $crate::setting::one_of(text, Self::settable().map(Self::as_str));
                    $crate::setting::Problem::at(node.at, format!("`{text}` is not {}", $what), hint)
                })
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({ "enum": Self::settable().map(Self::as_str).collect::<Vec<_>>() })
            }

            fn shown(&self) -> Option<serde_json::Value> {
                Some(self.as_str().into())
            }
        }

        $( impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        } )?
    };
}
pub(crate) use choices;
