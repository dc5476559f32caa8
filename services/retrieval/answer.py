"""From a query to its neighbours."""

from collections.abc import Sequence

from services.retrieval.gallery import Gallery, nearest
from shared.errors import MessageError
from shared.messages import Neighbour, Neighbours, Query
from shared.moments import decode_embeddings


def answer(query: Query, gallery: Gallery | None, count: int) -> Neighbours:
    """Return the `count` faces nearest to the query's; none without a gallery.

    Faces of the query's own clip are left out. Raises MessageError when the embedding is damaged, has not the
    gallery's dimension, or was made by another model than the gallery's.
    """
    try:
        embedding = decode_embeddings([query.embedding])[0]
    except ValueError as error:
        raise MessageError(f"query with {error}") from None
    if gallery is None:
        return Neighbours(place=query.place, nearest=[], agrees=None)
    if gallery.model != query.model:
        raise MessageError(f"query of {query.model} in the gallery of {gallery.model}")
    found = nearest(gallery, embedding, count, query.place.clip)
    return Neighbours(place=query.place, nearest=found, agrees=agreement(query.emotion, found))


def agreement(emotion: str, found: Sequence[Neighbour]) -> bool | None:
    """Tell whether more than half of the neighbours carry `emotion`; None without neighbours."""
    if not found:
        return None
    return 2 * sum(neighbour.label == emotion for neighbour in found) > len(found)
