"""The words of CBV 2.0 and of the GS1 Web Vocabulary, in all their spellings, as bare words. Pure.

In a normal document a standard word is bare (`shipping`), anybody else's is a full URI. Source: CBV
2.0 sections 7.1 to 7.8, GS1 Web Vocabulary (measurement types), with the values added since.
"""

from functools import lru_cache
from typing import Final

import msgspec

CBV: Final = "https://ref.gs1.org/cbv/"
# Where the GS1 Web Vocabulary has been, newest first.
GS1_VOC: Final = (
    "https://ref.gs1.org/voc/",
    "https://gs1.org/voc/",
    "https://www.gs1.org/voc/",
    "http://gs1.org/voc/",
    "http://www.gs1.org/voc/",
)
_CBV_WEB: Final = (CBV, "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/", "cbv:")


class Vocabulary(msgspec.Struct, frozen=True):
    """One list of words. `web` ends the web address before the word, `urn` is the older prefix."""

    rule: str
    words: frozenset[str]
    web: str
    urn: str = ""

    def find_word(self, text: str) -> str | None:
        """The bare word of any spelling of a word of this list, or None."""
        if text in self.words:
            return text
        for prefix in _prefixes(self.web, self.urn):
            if text.startswith(prefix):
                word = text[len(prefix) :]
                return word if word in self.words else None
        return None

    def to_web(self, text: str) -> str:
        """A bare word as its web address (`https://ref.gs1.org/cbv/BizStep-shipping`)."""
        return self.web + text if text in self.words else text

    def to_urn(self, text: str) -> str:
        """A bare word as the XML binding writes it: the URN, or compact (`gs1:Temperature`)."""
        if text not in self.words:
            return text
        compact = "gs1:" if self.web in GS1_VOC else "cbv:" + self.web.removeprefix(CBV)
        return (self.urn or compact) + text


@lru_cache(maxsize=64)
def _prefixes(web: str, urn: str) -> tuple[str, ...]:
    if web in GS1_VOC:
        return (*GS1_VOC, "gs1:")
    kind = web.removeprefix(CBV)
    found = [start + kind for start in _CBV_WEB]
    return tuple([*found, urn] if urn else found)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BIZ_STEP: Final = Vocabulary(
    "CBV-BIZ-STEP",
    _words(
        """accepting arriving assembling collecting commissioning consigning
        creating_class_instance cycle_counting decommissioning departing destroying disassembling
        dispensing encoding entering_exiting holding inspecting installing killing loading notifying
        other packing picking receiving removing repackaging repairing replacing reserving
        retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking
        storing transporting unloading unpacking void_shipping"""
    ),
    CBV + "BizStep-",
    "urn:epcglobal:cbv:bizstep:",
)
DISPOSITION: Final = Vocabulary(
    "CBV-DISPOSITION",
    _words(
        """active available completeness_inferred completeness_verified conformant
        container_closed container_open damaged destroyed dispensed disposed encoded expired
        in_progress in_transit inactive mismatch_class mismatch_instance mismatch_quantity
        needs_replacement no_pedigree_match non_conformant non_sellable_other
        partially_dispensed recalled reserved retail_sold returned sellable_accessible
        sellable_not_accessible stolen subject_to_regulation unavailable unknown"""
    ),
    CBV + "Disp-",
    "urn:epcglobal:cbv:disp:",
)
TRANSACTION: Final = Vocabulary(
    "CBV-TRANSACTION-TYPE",
    _words("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt"),
    CBV + "BTT-",
    "urn:epcglobal:cbv:btt:",
)
PARTY: Final = Vocabulary(
    "CBV-SOURCE-DESTINATION-TYPE",
    _words("owning_party possessing_party location"),
    CBV + "SDT-",
    "urn:epcglobal:cbv:sdt:",
)
REASON: Final = Vocabulary(
    "CBV-ERROR-REASON",
    _words("did_not_occur incorrect_data"),
    CBV + "ER-",
    "urn:epcglobal:cbv:er:",
)
COMPONENT: Final = Vocabulary(
    "CBV-COMPONENT",
    _words(
        """x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle
        easting northing latitude longitude altitude"""
    ),
    CBV + "Comp-",
)
MEASUREMENT: Final = Vocabulary(
    "GS1-MEASUREMENT-TYPE",
    _words(
        """AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
        AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity
        Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
        DoseEquivalentRate DynamicViscosity EffectiveDose EffectiveDoseRate ElectricCharge
        ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force
        Frequency Humidity Illuminance Inductance Irradiance KinematicViscosity Length
        LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity
        MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity
        MolalityOfSolute MolarEnergy MolarMass MolarVolume Molar_concentration Power Pressure
        Radioactivity RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity
        SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque
        Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber"""
    ),
    GS1_VOC[0],
)
ALERT: Final = Vocabulary("GS1-SENSOR-ALERT", _words("ALARM_CONDITION ERROR_CONDITION"), GS1_VOC[0])
