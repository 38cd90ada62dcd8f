// Reading QR codes: by the camera or from a picture; by the browser's BarcodeDetector, else by jsQR.
//
// jsQR (Apache-2.0) is fetched when Hansa is set up and served by this server; it may be absent.

const PICTURE_SIZE_MAX = 1_600;
const PAUSE_MS = 120;

/** No QR codes can be read here; `code`: "no_camera", "refused", "no_reader". */
export class CannotScan extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * Start the camera in a video element; `found(text)` is told the first code that is read.
 * `library`: address of jsQR, "" when it is absent. Gives a function that stops.
 */
export async function startCamera(video, library, found) {
  const read = await findReader(library);
  const stream = await openCamera();
  video.srcObject = stream;
  await video.play();
  const state = { isOn: true };
  const stop = () => {
    state.isOn = false;
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  watch(video, read, state).then((text) => {
    if (text !== "") {
      stop();
      found(text);
    }
  });
  return stop;
}

/** The text of a QR code in a picture file, "" when there is none. Throws CannotScan. */
export async function readPicture(file, library) {
  const read = await findReader(library);
  const picture = await createImageBitmap(file);
  try {
    return await read(picture, picture.width, picture.height);
  } finally {
    picture.close();
  }
}

async function openCamera() {
  if (navigator.mediaDevices === undefined) {
    throw new CannotScan("no_camera");
  }
  try {
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    return await navigator.mediaDevices.getUserMedia({ audio: false, video });
  } catch (error) {
    throw new CannotScan(error.name === "NotAllowedError" ? "refused" : "no_camera", error);
  }
}

async function watch(video, read, state) {
  while (state.isOn) {
    if (video.videoWidth > 0) {
      const text = await read(video, video.videoWidth, video.videoHeight);
      if (text !== "" && state.isOn) {
        return text;
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE_MS);
    });
  }
  return "";
}

/** (source, width, height) => Promise of a code's text, "" for none. */
async function findReader(library) {
  if (await hasDetector()) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (source) => (await detector.detect(source))[0]?.rawValue ?? "";
  }
  if (library === "") {
    throw new CannotScan("no_reader");
  }
  try {
    await import(library);
  } catch (error) {
    throw new CannotScan("no_reader", error);
  }
  return readByLibrary;
}

async function hasDetector() {
  if (globalThis.BarcodeDetector === undefined) {
    return false;
  }
  const formats = await BarcodeDetector.getSupportedFormats();
  return formats.includes("qr_code");
}

async function readByLibrary(source, width, height) {
  const scale = Math.min(1, PICTURE_SIZE_MAX / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return globalThis.jsQR(data, canvas.width, canvas.height)?.data ?? "";
}
