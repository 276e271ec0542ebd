// Makes chosen photos smaller before they are sent, and shows them. The input works without this.
for (const input of document.querySelectorAll('input[data-photos]')) {
  const SIDE = 1600, THUMB = 240, QUALITY = 0.8; // pixels, pixels, of 1
  const most = Number(input.dataset.most), mostBytes = Number(input.dataset.bytes);
  const box = input.closest('.photos');
  const [list, bar, status] = ['ul', 'progress', '[role=status]'].map((one) => box.querySelector(one));
  // The page's language: a table of the texts below, or none for English.
  const texts = JSON.parse(input.dataset.texts || '{}');
  const say = (text, values) => (texts[text] || text).replace(/{(\w+)}/g, (_, name) => values[name]);
  let photos = [], busy = null;

  const drawn = (picture, side) => {
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff'; // JPEG has no transparency
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
  const smaller = async (file) => {
    try {
      const picture = await createImageBitmap(file);
      const canvas = drawn(picture, SIDE);
      const thumb = drawn(canvas, THUMB).toDataURL('image/jpeg', QUALITY);
      const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
      picture.close();
      if (!blob || blob.size >= file.size) return { file, thumb };
      const name = `${file.name.replace(/\.\w+$/, '')}.jpg`;
      return { file: new File([blob], name, { type: 'image/jpeg' }), thumb };
    } catch (error) {
      return { file }; // this browser does not open it, such as HEIC; the application may
    }
  };

  const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
  const total = () => {
    const bytes = photos.reduce((sum, { file }) => sum + file.size, 0);
    const count = photos.length, values = { count, size: size(bytes) };
    if (!count) return say('No photos.');
    return count > 1 ? say('{count} photos, {size} in all.', values) : say('1 photo, {size} in all.', values);
  };
  const remove = (index) => {
    photos.splice(index, 1);
    update();
    const buttons = list.querySelectorAll('button');
    (buttons[index] || buttons[index - 1] || input).focus();
  };
  const item = ({ file, thumb }, index) => {
    const made = (tag, values, ...inside) => {
      const element = Object.assign(document.createElement(tag), values);
      element.append(...inside);
      return element;
    };
    const name = say('Photo {number}: {name}', { number: index + 1, name: file.name });
    const shown = thumb ? made('img', { src: thumb, alt: name }) : made('span', {}, name);
    const hint = file.size > mostBytes ? [made('span', { className: 'error' }, say('{size} is too large.', { size: size(file.size) }))] : [];
    const button = made('button', { type: 'button', ariaLabel: say('Remove {name}', { name }) }, say('Remove'));
    button.addEventListener('click', () => remove(index));
    return made('li', {}, shown, ...hint, button);
  };
  const update = (text = '') => {
    const files = new DataTransfer();
    for (const { file } of photos) files.items.add(file);
    input.files = files.files;
    list.replaceChildren(...photos.map(item));
    list.hidden = !photos.length;
    status.textContent = text + total();
  };
  const take = async (files) => {
    const room = Math.max(0, most - photos.length);
    const chosen = files.slice(0, room);
    Object.assign(bar, { hidden: false, max: chosen.length, value: 0 });
    for (const file of chosen) {
      status.textContent = say('Making photo {number} of {count} smaller.', { number: bar.value + 1, count: chosen.length });
      photos.push(await smaller(file)); // one by one: a phone has little memory
      bar.value += 1;
    }
    bar.hidden = true;
    const left = files.length - chosen.length;
    const many = 'A job can have {most} photos, so {left} were left out.';
    const one = 'A job can have {most} photos, so 1 was left out.';
    update(left ? `${say(left > 1 ? many : one, { most, left })} ` : '');
  };
  const changed = () => {
    const files = [...input.files];
    if (!files.length && !photos.length) return;
    busy = (busy || Promise.resolve()).then(() => take(files)).finally(() => { busy = null; });
  };

  if (window.createImageBitmap && window.DataTransfer) {
    input.addEventListener('change', (event) => {
      event.stopImmediatePropagation(); // the office's theme looks for a text field beside the input
      changed();
    });
    // Before other listeners: a form that is sent meanwhile waits for its photos.
    input.form.addEventListener('submit', async (event) => {
      if (!busy) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      await busy;
      input.form.requestSubmit(event.submitter);
    }, true);
    if (input.files.length) changed(); // the browser kept them for the Back button
  }
}
