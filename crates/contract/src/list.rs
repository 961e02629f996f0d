//! Closed lists: enums whose values can be listed.

/// Declares an enum without fields, and `ALL`: each of its values once, in the order in which they are declared.
///
/// ```
/// txnr_contract::closed_list! {
///     /// A side of a comparison.
///     #[derive(Debug, Clone, Copy, PartialEq, Eq)]
///     pub enum Side {
///         /// The ledger.
///         Left,
///         /// The bank.
///         Right,
///     }
/// }
/// assert_eq!(Side::ALL, [Side::Left, Side::Right]);
/// ```
#[macro_export]
macro_rules! closed_list {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Name:ident {
            $( $(#[$value_attribute:meta])* $Value:ident ),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        $visibility enum $Name {
            $( $(#[$value_attribute])* $Value, )+
        }

        impl $Name {
            /// Every one of them, in the order in which they are declared.
            $visibility const ALL: [Self; [$( stringify!($Value) ),+].len()] = [$( Self::$Value ),+];
        }
    };
}
