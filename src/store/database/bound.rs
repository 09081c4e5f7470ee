//! What is bound in place of `?1`: whole numbers, decimals, texts, and nothing of either kind.

/// What kind of value stands there: a server wants to know it of a null too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Integer,
    Real,
    Text,
}

/// A value on its way, not copied.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Bound<'a>(pub(super) Held<'a>);

/// The same, open.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'a> {
    Null(Kind),
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// Something that can be bound. Whether something is so is a whole number, as the tables keep it.
pub(in crate::store) trait Bind {
    /// Its value.
    fn bound(&self) -> Bound<'_>;
}

/// What has the same kind whatever its value is, so that its lack has one too.
trait OfKind {
    const KIND: Kind;
}

/// What is bound in one statement, in the order of the numbers.
pub(in crate::store) trait Params {
    fn all(&self) -> Vec<Bound<'_>>;
}

/// Values of several kinds, by reference.
macro_rules! params {
    ($($value:expr),+ $(,)?) => {
        &[$(&$value as &dyn $crate::store::database::Bind),+] as &[&dyn $crate::store::database::Bind]
    };
}
pub(in crate::store) use params;

impl Params for () {
    fn all(&self) -> Vec<Bound<'_>> {
        Vec::new()
    }
}

impl Params for &[&dyn Bind] {
    fn all(&self) -> Vec<Bound<'_>> {
        self.iter().map(|one| one.bound()).collect()
    }
}

impl<T: Bind, const N: usize> Params for [T; N] {
    fn all(&self) -> Vec<Bound<'_>> {
        self.iter().map(Bind::bound).collect()
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    fn bound(&self) -> Bound<'_> {
        (**self).bound()
    }
}

impl<T: OfKind + ?Sized> OfKind for &T {
    const KIND: Kind = T::KIND;
}

impl<T: Bind + OfKind> Bind for Option<T> {
    fn bound(&self) -> Bound<'_> {
        self.as_ref().map_or(Bound(Held::Null(T::KIND)), Bind::bound)
    }
}

impl Bind for str {
    fn bound(&self) -> Bound<'_> {
        Bound(Held::Text(self))
    }
}

impl Bind for String {
    fn bound(&self) -> Bound<'_> {
        Bound(Held::Text(self))
    }
}

impl Bind for f64 {
    fn bound(&self) -> Bound<'_> {
        Bound(Held::Real(*self))
    }
}

macro_rules! whole {
    ($($kind:ty),+) => { $(
        impl Bind for $kind {
            fn bound(&self) -> Bound<'_> {
                Bound(Held::Integer(i64::from(*self)))
            }
        }

        impl OfKind for $kind {
            const KIND: Kind = Kind::Integer;
        }
    )+ };
}
whole!(bool, u8, u32, i64);

impl OfKind for str {
    const KIND: Kind = Kind::Text;
}

impl OfKind for String {
    const KIND: Kind = Kind::Text;
}
