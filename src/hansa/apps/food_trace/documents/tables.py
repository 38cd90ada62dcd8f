"""Which fields each type of event has, and how each is read. Pure data over `fields.py`.

Source: EPCIS 2.0 clauses 7.4.1 to 7.4.6 and 7.3.7 (sensor elements).
"""

from typing import Final

from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.documents.fields import (
    DROPPED,
    Table,
    drop,
    read_action,
    read_boolean,
    read_certifications,
    read_closed,
    read_hex,
    read_ilmd,
    read_key,
    read_list,
    read_number,
    read_offset,
    read_persistent,
    read_place,
    read_report,
    read_structure,
    read_text,
    read_time,
    read_uom,
    read_uri,
    read_word,
)

_QUANTITIES: Final = read_list(
    read_closed({"epcClass": read_key, "quantity": read_number, "uom": read_uom}, "epcClass")
)
_ITEMS: Final = read_list(read_key, are_unique=True)
_METADATA: Final[Table] = {
    "time": read_time,
    "startTime": read_time,
    "endTime": read_time,
    "deviceID": read_uri,
    "deviceMetadata": read_uri,
    "rawData": read_uri,
    "dataProcessingMethod": read_uri,
    "bizRules": read_uri,
}
_REPORT: Final[Table] = {
    "type": read_word(vocabulary.MEASUREMENT),
    "exception": read_word(vocabulary.ALERT),
    "deviceID": read_uri,
    "deviceMetadata": read_uri,
    "rawData": read_uri,
    "dataProcessingMethod": read_uri,
    "bizRules": read_uri,
    "time": read_time,
    "microorganism": read_uri,
    "chemicalSubstance": read_uri,
    "coordinateReferenceSystem": read_uri,
    "value": read_number,
    "component": read_word(vocabulary.COMPONENT),
    "stringValue": read_text,
    "booleanValue": read_boolean,
    "hexBinaryValue": read_hex,
    "uriValue": read_uri,
    "minValue": read_number,
    "maxValue": read_number,
    "meanValue": read_number,
    "sDev": read_number,
    "percRank": read_number,
    "percValue": read_number,
    "uom": read_text,
}
_SENSORS: Final = read_list(
    read_structure(
        {
            "sensorMetadata": read_structure(_METADATA),
            "sensorReport": read_list(read_report(_REPORT)),
        },
        "sensorReport",
    )
)
_ERROR: Final = read_structure(
    {
        "declarationTime": read_time,
        "reason": read_word(vocabulary.REASON),
        "correctiveEventIDs": read_list(read_uri),
    },
    "declarationTime",
)


_EVERY: Final[Table] = {
    "@context": lambda *_: DROPPED,  # applied before the fields are read
    "type": lambda _reader, value, _path: value,
    "eventTime": read_time,
    "recordTime": drop,
    "eventTimeZoneOffset": read_offset,
    "eventID": read_uri,
    "certificationInfo": read_certifications,
    "errorDeclaration": _ERROR,
    "bizStep": read_word(vocabulary.BIZ_STEP),
    "disposition": read_word(vocabulary.DISPOSITION),
    "persistentDisposition": read_persistent,
    "readPoint": read_place,
    "bizLocation": read_place,
    "bizTransactionList": read_list(
        read_closed(
            {"type": read_word(vocabulary.TRANSACTION), "bizTransaction": read_uri},
            "bizTransaction",
        )
    ),
    "sourceList": read_list(
        read_closed({"type": read_word(vocabulary.PARTY), "source": read_key}, "type", "source")
    ),
    "destinationList": read_list(
        read_closed(
            {"type": read_word(vocabulary.PARTY), "destination": read_key},
            "type",
            "destination",
        )
    ),
    "sensorElementList": _SENSORS,
}
_OBJECT: Final[Table] = {
    **_EVERY,
    "action": read_action,
    "epcList": _ITEMS,
    "quantityList": _QUANTITIES,
}
_PARENT: Final[Table] = {
    **_EVERY,
    "action": read_action,
    "parentID": read_key,
    "childEPCs": _ITEMS,
    "childQuantityList": _QUANTITIES,
}

TABLES: Final[dict[str, Table]] = {
    "ObjectEvent": {**_OBJECT, "ilmd": read_ilmd},
    "AggregationEvent": _PARENT,
    "AssociationEvent": _PARENT,
    "TransactionEvent": {**_OBJECT, "parentID": read_key},
    "TransformationEvent": {
        **_EVERY,
        "inputEPCList": _ITEMS,
        "inputQuantityList": _QUANTITIES,
        "outputEPCList": _ITEMS,
        "outputQuantityList": _QUANTITIES,
        "transformationID": read_key,
        "ilmd": read_ilmd,
    },
}
# What every event must have beside what its type asks for.
REQUIRED: Final = ("eventTime", "eventTimeZoneOffset")
