//! Structs of settings.

/// Declares a struct of settings: each field once, with its documentation and its default.
///
/// ```text
/// settings! {
///     /// How much happens at once.
///     pub struct Concurrency: Default {
///         /// Stack operations at once.
///         pub stacks: NonZeroUsize = at_least_one(20),
///     }
/// }
/// ```
///
/// With `: Default` every field may be left out: a field without a `=` has the default of its type. Without it, a
/// field needs a `=` or an `Option` to be left out. `with { .. }` adds fields that are not in the file.
/// A field of a struct that is serialized may have an attribute `#[serde(..)]` after its documentation.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $(#[derive($($derive:ident),+)])?
        pub struct $name:ident: Default {
            $( $(#[doc = $doc:literal])+ $(#[serde($($serde:tt)+)])? pub $field:ident: $type:ty $(= $default:expr)? ),+ $(,)?
        }
        $(with { $( $(#[doc = $more_doc:literal])+ pub $more:ident: $more_type:ty ),+ $(,)? })?
    ) => {
        $crate::setting::settings! {
            $(#[doc = $about])+
            $(#[derive($($derive),+)])?
            pub struct $name {
                $(
                    $(#[doc = $doc])+ $(#[serde($($serde)+)])? pub $field: $type
                        = $crate::setting::settings!(@or_default $($default)?)
                ),+
            }
            $(with { $( $(#[doc = $more_doc])+ pub $more: $more_type ),+ })?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $( $field: $crate::setting::settings!(@or_default $($default)?), )+
                    $( $( $more: Default::default(), )+ )?
                }
            }
        }
    };
    (
        $(#[doc = $about:literal])+
        $(#[derive($($derive:ident),+)])?
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $(#[serde($($serde:tt)+)])? pub $field:ident: $type:ty $(= $default:expr)? ),+ $(,)?
        }
        $(with { $( $(#[doc = $more_doc:literal])+ pub $more:ident: $more_type:ty ),+ $(,)? })?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        $(#[derive($($derive),+)])?
        pub struct $name {
            $( $(#[doc = $doc])+ $(#[serde($($serde)+)])? pub $field: $type, )+
            $( $( $(#[doc = $more_doc])+ pub $more: $more_type, )+ )?
        }

        impl $crate::setting::Setting for $name {
            fn read(node: &paceline_yaml::Node) -> Result<Self, $crate::setting::Problem> {
                let known = [$( $crate::setting::key(stringify!($field)) ),+];
                let fields = $crate::setting::Fields::of(node, &known)?;
                let settings = Self {
                    $( $field: fields.read::<$type>(
                        &$crate::setting::key(stringify!($field)),
                        || $crate::setting::settings!(@absent $type $(, $default)?),
                    )?, )+
                    $( $( $more: Default::default(), )+ )?
                };
                fields.end()?;
                Ok(settings)
            }

            fn schema() -> serde_json::Value {
                $crate::setting::object(&[$($about),+], vec![$(
                    $crate::setting::Property::new::<$type>(
                        stringify!($field),
                        &[$($doc),+],
                        $crate::setting::settings!(@absent $type $(, $default)?).as_ref(),
                    )
                ),+])
            }
        }
    };
    (@or_default) => { Default::default() };
    (@or_default $default:expr) => { $default };
    (@absent $type:ty) => { <$type as $crate::setting::Setting>::absent() };
    (@absent $type:ty, $default:expr) => { Some::<$type>($default) };
}
pub(crate) use settings;
